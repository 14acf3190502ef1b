//! The database file: opened, brought up to date, put aside when it cannot be used.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use isosmith_protocol::Code;
use rusqlite::{Connection, ErrorCode};
use rusqlite_migration::{M, Migrations};

use crate::{Error, Places, disk};

/// Every change of the tables so far, oldest first. A row is never edited once it has shipped.
const STEPS: &[M<'static>] = &[M::up(
    "CREATE TABLE build (
        id TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        profile TEXT NOT NULL,
        state TEXT NOT NULL,
        started INTEGER NOT NULL,
        took_ms INTEGER,
        size INTEGER,
        code TEXT,
        folder TEXT,
        iso TEXT,
        resumable INTEGER NOT NULL DEFAULT 0,
        own TEXT NOT NULL DEFAULT '',
        spec TEXT NOT NULL DEFAULT '',
        result TEXT,
        session TEXT NOT NULL DEFAULT '[]',
        warned TEXT NOT NULL DEFAULT '[]',
        steps TEXT NOT NULL DEFAULT '[]',
        packages TEXT NOT NULL DEFAULT '[]',
        sizes TEXT NOT NULL DEFAULT '{}',
        files TEXT NOT NULL DEFAULT '[]',
        whole INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX build_started ON build (started DESC);
    CREATE TABLE forgotten (id TEXT PRIMARY KEY) STRICT;",
)];

const MIGRATIONS: Migrations<'static> = Migrations::from_slice(STEPS);

/// Opens the database. One that cannot be used is put aside and a new one begun; the second
/// value says so. Where nothing can be written, the history lives in memory.
pub(super) fn open(places: &Places) -> (Connection, Option<Error>) {
    let path = places.data.join("history.sqlite");
    let first = match begin(&path) {
        Ok(connection) => return (connection, None),
        Err(first) => first,
    };
    let said = |advice: String| {
        let message = "the history of builds cannot be used";
        Error::new(Code::Io, message, advice).because(first.to_string())
    };
    if first.is_broken()
        && let Ok(aside) = put_aside(&path)
        && let Ok(connection) = begin(&path)
    {
        let advice = format!("A new one was begun; the old one is {}.", aside.display());
        return (connection, Some(said(advice)));
    }
    let advice = format!(
        "Builds are remembered until the window is closed; look at {}.",
        path.display()
    );
    (in_memory(), Some(said(advice)))
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Migration(#[from] rusqlite_migration::Error),
}

impl Trouble {
    /// Whether the file itself is the matter: damaged, no database, or of a newer version. A
    /// file that is locked or may not be read is left where it is.
    fn is_broken(&self) -> bool {
        let broken = |error: &rusqlite::Error| {
            !matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::PermissionDenied
                        | ErrorCode::CannotOpen
                        | ErrorCode::ReadOnly
                        | ErrorCode::DiskFull
                        | ErrorCode::OutOfMemory
                        | ErrorCode::SystemIoFailure
                )
            )
        };
        match self {
            Self::Io(_) => false,
            Self::Sqlite(error) => broken(error),
            Self::Migration(rusqlite_migration::Error::RusqliteError { err, .. }) => broken(err),
            Self::Migration(_) => true,
        }
    }
}

fn begin(path: &Path) -> Result<Connection, Trouble> {
    disk::own_folder(path.parent().unwrap_or(Path::new("/")))?;
    // SQLite gives its journals the same permissions.
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    // First, so that a file of a newer version is left as it is.
    MIGRATIONS.to_latest(&mut connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // A file may be whole at its beginning only.
    let sound: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match sound == "ok" {
        true => Ok(connection),
        false => Err(Trouble::Migration(
            rusqlite_migration::Error::MigrationDefinition(
                rusqlite_migration::MigrationDefinitionError::NoMigrationsDefined,
            ),
        )),
    }
}

/// With its journals, which may hold what is not in the file yet; SQLite finds them by name.
fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = disk::aside(path)?;
    let beside = |path: &Path, end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    for end in ["-wal", "-shm"] {
        match fs::rename(beside(path, end), beside(&aside, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(aside)
}

#[expect(
    clippy::expect_used,
    reason = "an empty database in memory needs nothing but memory"
)]
fn in_memory() -> Connection {
    let mut connection = Connection::open_in_memory().expect("SQLite works in memory");
    MIGRATIONS
        .to_latest(&mut connection)
        .expect("the tables can be made");
    connection
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn migrations_are_valid() {
        MIGRATIONS.validate().unwrap();
    }

    #[test]
    fn a_fresh_one_is_private() {
        let root = tempfile::tempdir().unwrap();
        let places = Places::below(root.path(), &[]);
        let (_connection, warning) = open(&places);
        assert_eq!(warning, None);
        let mode = |name: &str| {
            fs::metadata(places.data.join(name))
                .unwrap()
                .permissions()
                .mode()
        };
        assert_eq!(mode("history.sqlite") & 0o777, 0o600);
        assert_eq!(mode("") & 0o777, 0o700);
    }

    #[test]
    fn what_cannot_be_used_is_put_aside_and_said() {
        let newer = |path: &Path| {
            let connection = Connection::open(path).unwrap();
            connection.pragma_update(None, "user_version", 99).unwrap();
            drop(connection);
        };
        let garbage = |path: &Path| fs::write(path, vec![0x5a; 100_000]).unwrap();
        let cases: [&dyn Fn(&Path); 2] = [&newer, &garbage];
        for spoil in cases {
            let root = tempfile::tempdir().unwrap();
            let places = Places::below(root.path(), &[]);
            fs::create_dir(&places.data).unwrap();
            let path = places.data.join("history.sqlite");
            spoil(&path);
            let before = fs::read(&path).unwrap();
            let (connection, warning) = open(&places);
            let warning = warning.expect("it is said");
            assert!(warning.view().advice.contains("broken-1"), "{warning:?}");
            let kept = fs::read(places.data.join("history.sqlite.broken-1")).unwrap();
            assert!(kept == before, "not a byte is changed");
            let count: i64 = connection
                .query_row("SELECT count(*) FROM build", [], |row| row.get(0))
                .unwrap();
            assert_eq!(count, 0);
            drop(connection);
            assert_eq!(open(&places).1, None, "said once");
        }
    }

    #[test]
    fn where_nothing_can_be_written_it_lives_in_memory() {
        let root = tempfile::tempdir().unwrap();
        let places = Places::below(root.path(), &[]);
        fs::write(&places.data, "a file where a folder should be").unwrap();
        let (connection, warning) = open(&places);
        assert!(warning.is_some());
        connection
            .execute("INSERT INTO forgotten VALUES ('x')", [])
            .unwrap();
    }
}
