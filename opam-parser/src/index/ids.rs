//! Dense ids into the index's tables. Names and packages are numbered in opam's order, so that
//! comparing ids is comparing what they stand for.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) u32);

        impl $name {
            /// As a place in a table.
            pub fn place(self) -> usize {
                self.0 as usize
            }
        }

        impl From<$name> for u32 {
            /// The id as a number, for keys and hashes.
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

id! {
    /// A package name, existing or only mentioned; ordered as opam lists names.
    NameId
}
id! {
    /// A version's text; ordered by opam's version order, then by its bytes.
    VersionId
}
id! {
    /// A string: a literal of a filter, a synopsis, a message.
    StringId
}
id! {
    /// A variable as a filter writes it, packages included.
    VariableId
}
id! {
    /// One version of one package; ordered by name, then version.
    PackageId
}
id! {
    /// One opam file of a source, read or broken.
    FileId
}
