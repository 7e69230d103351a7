//! The variables that a package's filters see (section 3.4 of `docs/semantics.md`).

use crate::dialect::Rules;
use crate::platform::Platform;
use opam_parser::filter::{Env, Ident, Scope, Value};
use opam_parser::index::{Index, IndexEnv, PackageId, VariableId};

/// The variables of the dependency flags (rule E2). `None` leaves one undefined, as `available`
/// and `conflicts` have all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DependencyFlags {
    /// `build`
    pub build: Option<bool>,
    /// `post`
    pub post: Option<bool>,
    /// `with-test`
    pub with_test: Option<bool>,
    /// `with-doc`
    pub with_doc: Option<bool>,
    /// `with-dev-setup`
    pub with_dev_setup: Option<bool>,
    /// `dev`
    pub dev: Option<bool>,
}

impl DependencyFlags {
    /// As opam's solver sees the dependencies of a package that was not itself asked for.
    pub fn solving(dev: bool) -> Self {
        let [on, off] = [true, false].map(Some);
        Self { build: on, post: on, with_test: off, with_doc: off, with_dev_setup: off, dev: Some(dev) }
    }
}

/// What a variable of the index stands for, worked out once for each platform.
#[derive(Clone, Debug)]
enum Meaning {
    Build,
    Post,
    WithTest,
    WithDoc,
    WithDevSetup,
    Dev,
    Name,
    Version,
    Platform(PlatformValue),
    Undefined,
}

/// The value of a variable that the platform defines.
#[derive(Clone, Debug)]
enum PlatformValue {
    Bool(bool),
    String(String),
}

/// All variables of an index on one platform.
#[derive(Clone, Debug)]
pub struct Variables {
    meanings: Vec<Meaning>,
    platform: Platform,
    /// `name`, `_:name` and `_:version` are defined (rule F27).
    own: bool,
}

impl Variables {
    /// The platform that they are of.
    pub(crate) fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Looks up every variable that a filter of the index mentions.
    pub(crate) fn new(index: &Index, platform: &Platform, rules: &Rules) -> Self {
        let own = rules.own_variables;
        let meaning = |text: &str| {
            let ident = Ident::new(text);
            match ident.packages.as_deref() {
                None => meaning(platform, &ident.name, own),
                Some("_" | "self") if own && ident.name == "name" => Meaning::Name,
                Some("_" | "self") if own && ident.name == "version" => Meaning::Version,
                // Other packages' variables are not defined while solving (rule F26), unless
                // somebody sets them by their full name.
                Some(_) => of_platform(platform, text),
            }
        };
        Self { meanings: index.variables().map(meaning).collect(), platform: platform.clone(), own }
    }
}

impl PlatformValue {
    fn new(text: &str) -> Self {
        match text {
            "true" => PlatformValue::Bool(true),
            "false" => PlatformValue::Bool(false),
            text => PlatformValue::String(text.to_owned()),
        }
    }
}

/// What a variable stands for that the platform may define.
fn of_platform(platform: &Platform, name: &str) -> Meaning {
    platform.get(name).map_or(Meaning::Undefined, |text| Meaning::Platform(PlatformValue::new(text)))
}

fn meaning(platform: &Platform, name: &str, own: bool) -> Meaning {
    match name {
        "build" => Meaning::Build,
        "post" => Meaning::Post,
        "with-test" => Meaning::WithTest,
        "with-doc" => Meaning::WithDoc,
        "with-dev-setup" => Meaning::WithDevSetup,
        "dev" => Meaning::Dev,
        "name" if own => Meaning::Name,
        "version" => Meaning::Version,
        name => of_platform(platform, name),
    }
}

/// The variables as one package sees them.
#[derive(Clone, Copy)]
pub struct Environment<'e, 'i> {
    /// Those of the platform.
    pub variables: &'e Variables,
    /// The index that the package is in.
    pub index: &'i Index,
    /// The package.
    pub package: PackageId,
    /// The dependency flags.
    pub flags: DependencyFlags,
}

impl Environment<'_, '_> {
    fn value<'v>(&'v self, meaning: &'v Meaning) -> Value<'v> {
        let flag = |flag: Option<bool>| flag.map_or(Value::Undefined, Value::Bool);
        match meaning {
            Meaning::Build => flag(self.flags.build),
            Meaning::Post => flag(self.flags.post),
            Meaning::WithTest => flag(self.flags.with_test),
            Meaning::WithDoc => flag(self.flags.with_doc),
            Meaning::WithDevSetup => flag(self.flags.with_dev_setup),
            Meaning::Dev => flag(self.flags.dev),
            Meaning::Name => Value::str(self.index.name(self.index.package_name(self.package))),
            Meaning::Version => Value::str(self.index.version(self.index.package_version(self.package))),
            Meaning::Platform(PlatformValue::Bool(b)) => Value::Bool(*b),
            Meaning::Platform(PlatformValue::String(text)) => Value::str(text),
            Meaning::Undefined => Value::Undefined,
        }
    }
}

/// The value of a variable that the platform may define, from its text.
fn read(value: Option<&str>) -> Value<'_> {
    match value {
        Some("true") => Value::Bool(true),
        Some("false") => Value::Bool(false),
        Some(text) => Value::str(text),
        None => Value::Undefined,
    }
}

impl IndexEnv for Environment<'_, '_> {
    fn indexed(&self, variable: VariableId) -> Value<'_> {
        self.value(&self.variables.meanings[variable.place()])
    }
}

impl Env for Environment<'_, '_> {
    /// For variables inside strings, which no table lists.
    fn variable(&self, scope: Scope<'_>, name: &str) -> Value<'_> {
        let Variables { platform, own, .. } = self.variables;
        match (scope, name) {
            (Scope::Own | Scope::Package("self"), "name") if *own => self.value(&Meaning::Name),
            (Scope::Own | Scope::Package("self"), "version") if *own => self.value(&Meaning::Version),
            (Scope::Own, _) => Value::Undefined,
            (Scope::Package(package), _) => read(platform.get(&format!("{package}:{name}"))),
            (Scope::Global, name) => match meaning(platform, name, *own) {
                Meaning::Platform(_) => read(platform.get(name)),
                Meaning::Name => self.value(&Meaning::Name),
                Meaning::Version => self.value(&Meaning::Version),
                Meaning::Build => self.value(&Meaning::Build),
                Meaning::Post => self.value(&Meaning::Post),
                Meaning::WithTest => self.value(&Meaning::WithTest),
                Meaning::WithDoc => self.value(&Meaning::WithDoc),
                Meaning::WithDevSetup => self.value(&Meaning::WithDevSetup),
                Meaning::Dev => self.value(&Meaning::Dev),
                Meaning::Undefined => Value::Undefined,
            },
        }
    }
}
