//! The value of a variable as it is written: of no package, of one, or of several.

use super::tree::Ident;
use super::value::{Env, Scope, Value};

/// A variable as it is written in a filter or string (rule F9).
pub fn lookup<'e, E: Env + ?Sized>(ident: &Ident, env: &'e E) -> Value<'e> {
    let Some(packages) = &ident.packages else {
        return env.variable(Scope::Global, &ident.name);
    };
    lookup_in(packages.split('+').map(Some), &ident.name, env)
}

/// A variable of one or several packages; `None` and `_` are the package itself.
pub(super) fn lookup_in<'a, 'e, E: Env + ?Sized>(
    packages: impl Iterator<Item = Option<&'a str>>,
    name: &str,
    env: &'e E,
) -> Value<'e> {
    // `enable` is short for a choice on `installed`.
    let (asked, enable) = if name == "enable" { ("installed", true) } else { (name, false) };
    let mut result: Option<Value<'e>> = None;
    for package in packages.filter(|package| *package != Some("")) {
        let scope = match package {
            None | Some("_") => Scope::Own,
            Some(package) => Scope::Package(package),
        };
        let value = env.variable(scope, asked);
        result = Some(match result {
            None => value,
            Some(Value::Bool(false)) => Value::Bool(false),
            Some(_) if value == Value::Bool(false) => Value::Bool(false),
            Some(Value::Bool(true)) if value == Value::Bool(true) => value,
            Some(_) => Value::Undefined,
        });
    }
    let value = result.unwrap_or(Value::Undefined);
    if !enable {
        return value;
    }
    Value::str(if value.to_bool() == Some(true) { "enable" } else { "disable" })
}
