//! Every method of the interface, with what it takes and what it needs. What is not in this
//! table cannot be called.

use crate::refusal::{Refusal, bad_argument};

/// The service's name on the bus.
pub const NAME: &str = "org.isosmith.Helper1";

/// Its only object.
pub const PATH: &str = "/org/isosmith/Helper1";

/// Its only interface.
pub const INTERFACE: &str = "org.isosmith.Helper1";

/// The object with its interface, as others read it; the package ships the same text.
pub const XML: &str = include_str!("../org.isosmith.Helper1.xml");

/// A method of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Queues a build.
    Start,
    /// Queues a stopped build again.
    Resume,
    /// Opens a stream of events.
    Attach,
    /// Stops a build.
    Cancel,
    /// Settles a question of a build.
    Answer,
    /// Lists builds.
    List,
    /// Tells all about one build.
    Describe,
    /// Frees room.
    Clean,
    /// Tells which protocol is spoken.
    Version,
}

/// What a caller must have or show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing but to be somebody.
    Nothing,
    /// The right to build, asked for with what is to be built.
    Build,
    /// To have started the build, or the right to manage all of them.
    Owner,
    /// [`Need::Owner`] and [`Need::Build`].
    OwnerAndBuild,
    /// Nothing for the own builds; the right to manage for those of everybody.
    OwnOrManage,
    /// The right to manage.
    Manage,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its name on the bus.
    pub name: &'static str,
    /// The types of its arguments, as the bus writes them.
    pub takes: &'static str,
    /// What it needs.
    pub needs: Need,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 9] = [
        Self::Start,
        Self::Resume,
        Self::Attach,
        Self::Cancel,
        Self::Answer,
        Self::List,
        Self::Describe,
        Self::Clean,
        Self::Version,
    ];

    /// Its row of the table.
    pub const fn row(self) -> Row {
        let (name, takes, needs) = match self {
            Self::Start => ("Start", "sa(sh)ha{sv}", Need::Build),
            Self::Resume => ("Resume", "sh", Need::OwnerAndBuild),
            Self::Attach => ("Attach", "st", Need::Owner),
            Self::Cancel => ("Cancel", "s", Need::Owner),
            Self::Answer => ("Answer", "sus", Need::Owner),
            Self::List => ("List", "b", Need::OwnOrManage),
            Self::Describe => ("Describe", "s", Need::Owner),
            Self::Clean => ("Clean", "sb", Need::Manage),
            Self::Version => ("Version", "", Need::Nothing),
        };
        Row { name, takes, needs }
    }

    /// The method that is called `name` and takes what `signature` says; `None` when there is
    /// none of this name.
    ///
    /// # Errors
    ///
    /// When it takes something else.
    pub fn find(name: &str, signature: &str) -> Option<Result<Self, Refusal>> {
        let method = Self::ALL
            .into_iter()
            .find(|method| method.row().name == name)?;
        let takes = method.row().takes;
        Some(if signature == takes {
            Ok(method)
        } else {
            Err(bad_argument(format!(
                "{name} takes arguments of the types {takes:?}, not {signature:?}"
            )))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name and argument types of each method in the XML.
    fn published() -> Vec<(String, String)> {
        let attribute = |line: &str, name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\""))?;
            Some(rest.split_once('"')?.0.to_owned())
        };
        let mut methods: Vec<(String, String)> = Vec::new();
        for line in XML.lines().map(str::trim) {
            if line.starts_with("<method ") {
                methods.push((attribute(line, "name").expect("a name"), String::new()));
            } else if line.starts_with("<signal ") {
                break;
            } else if line.starts_with("<arg ") && line.contains("direction=\"in\"") {
                let (_, takes) = methods.last_mut().expect("an argument of a method");
                takes.push_str(&attribute(line, "type").expect("a type"));
            }
        }
        methods
    }

    #[test]
    fn the_table_is_what_is_published() {
        let table: Vec<_> = Method::ALL
            .map(|method| (method.row().name.to_owned(), method.row().takes.to_owned()))
            .to_vec();
        assert_eq!(table, published());
    }

    #[test]
    fn only_what_is_in_the_table_can_be_called() {
        for (name, signature, want) in [
            ("Cancel", "s", Some(Ok(Method::Cancel))),
            ("Cancel", "ss", Some(Err(()))),
            ("Cancel", "", Some(Err(()))),
            ("cancel", "s", None),
            ("", "", None),
            ("Reload", "", None),
        ] {
            let found = Method::find(name, signature).map(|found| found.map_err(drop));
            assert_eq!(found, want, "{name} {signature}");
        }
    }

    #[test]
    fn nothing_but_the_version_is_free() {
        for method in Method::ALL {
            let free = method.row().needs == Need::Nothing;
            assert_eq!(free, method == Method::Version, "{method:?}");
        }
    }
}
