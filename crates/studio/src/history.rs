//! Builds that have been, in `history.sqlite` of the person's data folder.
//!
//! A row is made when a build begins, follows its events, and gets its last word from what the
//! service says of it. Builds that ran while no window was open come from the service's list.

mod compare;
mod files;
mod report;
mod row;
mod store;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use isosmith_client::{Description, Listed};
use isosmith_protocol::{
    BuildId, BuildResult, BuildView, Code, Event, EventKind, SessionChange, StepState,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    Checked, Error, Places, Result,
    model::{BuildDetail, BuildRow, BuildState, Comparison},
};
use files::Delivered;
use report::Step;
use row::{
    failed, is_resumable, is_worth, json, no_such, number, read, row, state_of, state_of_service,
};

/// Builds that have been, and those that run.
#[derive(Debug)]
pub struct History {
    db: Connection,
    /// Builds whose events come in.
    views: HashMap<BuildId, BuildView>,
}

/// A build that begins.
#[derive(Debug, Clone)]
pub struct Begun<'a> {
    /// Which.
    pub id: &'a BuildId,
    /// Of what.
    pub draft: &'a Checked,
    /// The folder for the ISO.
    pub folder: &'a Path,
    /// Seconds since 1970.
    pub started: u64,
}

impl History {
    /// Opens the history. One that is broken or of a newer version is put aside and a new one
    /// begun; the second value says so.
    pub fn open(places: &Places) -> (Self, Option<Error>) {
        let (db, warning) = store::open(places);
        let views = HashMap::new();
        (Self { db, views }, warning)
    }

    /// Notes a build that was just asked for.
    ///
    /// # Errors
    ///
    /// [`Code::Io`] when the database cannot be written, as in every call below.
    pub fn begin(&self, build: &Begun<'_>) -> Result<()> {
        // Without links, so that files can be found again for sure.
        let folder = build.folder.canonicalize();
        let folder = folder.unwrap_or_else(|_| build.folder.to_owned());
        self.db
            .execute(
                "INSERT INTO build (id, title, profile, state, started, folder, own, spec)
                 VALUES (?1, ?2, ?3, 'queued', ?4, ?5, ?6, ?7)
                 ON CONFLICT (id) DO UPDATE SET
                 title = excluded.title, folder = excluded.folder, own = excluded.own,
                 spec = excluded.spec",
                params![
                    build.id.as_str(),
                    build.draft.title(),
                    build.draft.spec.profile.name,
                    number(build.started),
                    folder.to_string_lossy(),
                    build.draft.own,
                    build.draft.profile,
                ],
            )
            .map_err(failed)?;
        Ok(())
    }

    /// Takes a build's events in. They may begin anew from the first one at any time.
    ///
    /// # Errors
    ///
    /// [`Code::Io`]
    pub fn record(&mut self, id: &BuildId, events: &[Event]) -> Result<()> {
        let view = self.views.entry(id.clone()).or_default();
        let mut worth = false;
        for event in events {
            if matches!(event.kind, EventKind::Hello { .. }) {
                *view = BuildView::default();
            }
            view.apply(event);
            worth |= is_worth(&event.kind);
        }
        if !worth {
            return Ok(());
        }
        let view = view.clone();
        if view.result.is_some() {
            self.views.remove(id);
        }
        self.keep(id, &view)
    }

    fn keep(&self, id: &BuildId, view: &BuildView) -> Result<()> {
        let state = view.result.as_ref().map_or(BuildState::Running, state_of);
        let session = view.session.as_ref().map(|session| &session.changes);
        let steps: Vec<Step> = view
            .steps
            .iter()
            .map(|row| Step {
                title: row.info.title.clone(),
                phase: row.info.phase,
                took_ms: row.took_ms,
                outcome: match &row.state {
                    StepState::Over(outcome) => Some(outcome.clone()),
                    StepState::Waiting | StepState::Running { .. } => None,
                },
            })
            .collect();
        self.db
            .execute(
                "INSERT INTO build (id, title, profile, state, started)
                 VALUES (?1, ?2, ?2, 'running', ?3) ON CONFLICT (id) DO NOTHING",
                params![id.as_str(), view.profile, number(view.started)],
            )
            .and_then(|_| {
                self.db.execute(
                    "UPDATE build SET state = ?2, took_ms = ?3, warned = ?4, session = ?5,
                     steps = ?6, whole = 1 WHERE id = ?1",
                    params![
                        id.as_str(),
                        report::word(state),
                        number(view.at_ms),
                        json(&view.warnings),
                        json(&session.cloned().unwrap_or_default()),
                        json(&steps),
                    ],
                )
            })
            .map_err(failed)?;
        match &view.result {
            Some(result) => self.end(id, result),
            None => Ok(()),
        }
    }

    /// The build's own ending. The ISO may not have arrived yet.
    fn end(&self, id: &BuildId, result: &BuildResult) -> Result<()> {
        let (size, iso) = match result {
            BuildResult::Succeeded { iso, .. } => {
                (Some(number(iso.size)), files::name_of(&iso.path))
            }
            BuildResult::Failed { .. }
            | BuildResult::Cancelled
            | BuildResult::Interrupted
            | BuildResult::Unknown => (None, None),
        };
        let code = result
            .code()
            .and_then(|code| match serde_json::to_value(code) {
                Ok(serde_json::Value::String(word)) => Some(word),
                Ok(_) | Err(_) => None,
            });
        let state = state_of(result);
        self.db
            .execute(
                "UPDATE build SET state = ?2, size = ?3, iso = ?4, code = ?5, result = ?6,
                 resumable = ?7 WHERE id = ?1",
                params![
                    id.as_str(),
                    report::word(state),
                    size,
                    iso,
                    code,
                    json(result),
                    is_resumable(state),
                ],
            )
            .map_err(failed)?;
        self.look_at_files(id)
    }

    /// Notes what lies in the folder now, once it is there.
    fn look_at_files(&self, id: &BuildId) -> Result<()> {
        let found: Option<(Option<String>, Option<String>)> = self
            .db
            .query_row(
                "SELECT folder, result FROM build WHERE id = ?1",
                [id.as_str()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(failed)?;
        let Some((Some(folder), Some(result))) = found else {
            return Ok(());
        };
        let Ok(BuildResult::Succeeded { iso, files: beside }) = serde_json::from_str(&result)
        else {
            return Ok(());
        };
        let folder = PathBuf::from(folder);
        let image = files::name_of(&iso.path).map(|name| folder.join(name));
        let sizes = image.map(|image| files::sizes(&image)).unwrap_or_default();
        self.db
            .execute(
                "UPDATE build SET files = ?2, packages = ?3, sizes = ?4 WHERE id = ?1",
                params![
                    id.as_str(),
                    json(&files::delivered(&folder, &iso, &beside)),
                    json(&files::packages(&folder, &beside)),
                    json(&sizes),
                ],
            )
            .map_err(failed)?;
        Ok(())
    }

    /// What the service says of a build; its last word is the one that counts, because it comes
    /// after the ISO has arrived.
    ///
    /// # Errors
    ///
    /// [`Code::Io`]
    pub fn describe(&self, build: &Description) -> Result<()> {
        let id = build.id.as_str();
        let state = state_of_service(build.state);
        let title = match build.product.is_empty() {
            true => &build.profile,
            false => &build.product,
        };
        self.db
            .execute(
                "INSERT INTO build (id, title, profile, state, started)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (id) DO UPDATE SET state = excluded.state,
                 title = CASE title WHEN profile THEN excluded.title ELSE title END",
                params![
                    id,
                    title,
                    build.profile,
                    report::word(state),
                    number(build.started)
                ],
            )
            .map_err(failed)?;
        if !build.session.is_empty() {
            self.db
                .execute(
                    "UPDATE build SET session = ?2 WHERE id = ?1",
                    params![id, json(&build.session)],
                )
                .map_err(failed)?;
        }
        if let Some(result) = &build.result {
            self.end(&build.id, result)?;
        }
        self.db
            .execute(
                "UPDATE build SET state = ?2, resumable = ?3, iso = coalesce(?4, iso)
                 WHERE id = ?1",
                params![
                    id,
                    report::word(state),
                    build.resumable,
                    build.iso.as_deref().and_then(files::name_of),
                ],
            )
            .map_err(failed)?;
        Ok(())
    }

    /// Brings the history in line with the service's list of this person's builds. Builds that
    /// were open and that the service does not know any more were interrupted. Returns those of
    /// which the service should be asked for a description, newest first.
    ///
    /// # Errors
    ///
    /// [`Code::Io`]
    pub fn reconcile(&self, listed: &[Listed]) -> Result<Vec<BuildId>> {
        let mut ask = Vec::new();
        for build in listed {
            let id = build.id.as_str();
            if self.is_forgotten(id)? {
                continue;
            }
            let known: Option<(String, bool)> = self
                .db
                .query_row(
                    "SELECT state, result IS NOT NULL FROM build WHERE id = ?1",
                    [id],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()
                .map_err(failed)?;
            let state = report::word(state_of_service(build.state));
            let ended = !build.state.is_open();
            match known {
                Some((known, has_result)) if known == state && (has_result || !ended) => continue,
                Some(_) => {}
                None => self.add(build)?,
            }
            self.db
                .execute("UPDATE build SET state = ?2 WHERE id = ?1", [id, state])
                .map_err(failed)?;
            ask.push((build.started, build.id.clone()));
        }
        self.interrupt_lost(listed)?;
        ask.sort_by(|a, b| b.cmp(a));
        Ok(ask.into_iter().map(|(_, id)| id).collect())
    }

    fn add(&self, build: &Listed) -> Result<()> {
        self.db
            .execute(
                "INSERT INTO build (id, title, profile, state, started)
                 VALUES (?1, ?2, ?2, 'queued', ?3)",
                params![build.id.as_str(), build.profile, number(build.started)],
            )
            .map_err(failed)?;
        Ok(())
    }

    fn interrupt_lost(&self, listed: &[Listed]) -> Result<()> {
        let open = self
            .rows_where("state IN ('queued', 'running')", &[])?
            .into_iter()
            .filter(|row| !listed.iter().any(|build| build.id.as_str() == row.id));
        for row in open {
            self.db
                .execute(
                    "UPDATE build SET state = 'interrupted', code = 'interrupted',
                     resumable = 0 WHERE id = ?1",
                    [row.id],
                )
                .map_err(failed)?;
        }
        Ok(())
    }

    fn is_forgotten(&self, id: &str) -> Result<bool> {
        self.db
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM forgotten WHERE id = ?1)",
                [id],
                |row| row.get(0),
            )
            .map_err(failed)
    }

    /// Every build, newest first.
    ///
    /// # Errors
    ///
    /// [`Code::Io`]
    pub fn rows(&self) -> Result<Vec<BuildRow>> {
        self.rows_where("1", &[])
    }

    /// Builds whose title, profile or id has every word of `query`, newest first.
    ///
    /// # Errors
    ///
    /// [`Code::Io`]
    pub fn search(&self, query: &str) -> Result<Vec<BuildRow>> {
        let words: Vec<String> = query
            .split_whitespace()
            .take(16)
            .map(|word| {
                let plain = word
                    .replace('\\', "\\\\")
                    .replace('%', "\\%")
                    .replace('_', "\\_");
                format!("%{plain}%")
            })
            .collect();
        let one = "(title || ' ' || profile || ' ' || id) LIKE ? ESCAPE '\\'";
        let all = vec![one; words.len()].join(" AND ");
        match words.is_empty() {
            true => self.rows(),
            false => self.rows_where(&all, &words),
        }
    }

    fn rows_where(&self, condition: &str, values: &[String]) -> Result<Vec<BuildRow>> {
        let sql = format!(
            "SELECT id, title, profile, state, started, took_ms, size, code, folder, iso,
             resumable, json_array_length(warned), spec <> ''
             FROM build WHERE {condition} ORDER BY started DESC, id DESC"
        );
        let mut statement = self.db.prepare(&sql).map_err(failed)?;
        let rows = statement
            .query_map(rusqlite::params_from_iter(values), row)
            .map_err(failed)?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed)
    }

    /// All about one build.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchBuild`]
    pub fn detail(&self, id: &BuildId) -> Result<BuildDetail> {
        let row = self.rows_where("id = ?", &[id.to_string()])?;
        let row = row.into_iter().next().ok_or_else(|| no_such(id))?;
        let more = "SELECT own, packages, sizes, result, session, warned, steps, spec
                    FROM build WHERE id = ?1";
        let (mut detail, steps) = self
            .db
            .query_row(more, [id.as_str()], |from| {
                let own: String = from.get(0)?;
                let detail = BuildDetail {
                    toml: match own.is_empty() {
                        true => from.get(7)?,
                        false => own,
                    },
                    packages: read(from, 1)?,
                    sizes: read(from, 2)?,
                    result: match from.get::<_, Option<String>>(3)? {
                        Some(text) => serde_json::from_str(&text).ok(),
                        None => None,
                    },
                    session: read::<Vec<SessionChange>>(from, 4)?,
                    warned: read(from, 5)?,
                    report: String::new(),
                    row,
                };
                Ok((detail, read::<Vec<Step>>(from, 6)?))
            })
            .map_err(failed)?;
        detail.report = report::report(&detail, &steps);
        Ok(detail)
    }

    /// The merged profile that was built; empty for builds that this window did not start.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchBuild`]
    pub fn spec(&self, id: &BuildId) -> Result<String> {
        self.db
            .query_row(
                "SELECT spec FROM build WHERE id = ?1",
                [id.as_str()],
                |row| row.get(0),
            )
            .optional()
            .map_err(failed)?
            .ok_or_else(|| no_such(id))
    }

    /// The folder that a build's ISO goes to, where this window has started it.
    pub fn folder(&self, id: &BuildId) -> Option<PathBuf> {
        let folder = self.db.query_row(
            "SELECT folder FROM build WHERE id = ?1",
            [id.as_str()],
            |row| row.get::<_, Option<String>>(0),
        );
        folder.ok().flatten().map(PathBuf::from)
    }

    /// Removes a build from the history for good and, if asked to, the files that it delivered.
    /// A file that is not what the build delivered any more, or a link, is left alone. Returns
    /// the names of files that are still there.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchBuild`]; [`Code::WrongState`] while it runs.
    pub fn delete(&mut self, id: &BuildId, with_files: bool) -> Result<Vec<String>> {
        let found: Option<(String, Option<String>, String)> = self
            .db
            .query_row(
                "SELECT state, folder, files FROM build WHERE id = ?1",
                [id.as_str()],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()
            .map_err(failed)?;
        let (state, folder, delivered) = found.ok_or_else(|| no_such(id))?;
        match report::state(&state) {
            BuildState::Queued | BuildState::Running => {
                return Err(Error::new(
                    Code::WrongState,
                    "this build is still at work",
                    "Stop it first.",
                ));
            }
            BuildState::Succeeded
            | BuildState::Failed
            | BuildState::Cancelled
            | BuildState::Interrupted => {}
        }
        let delivered: Vec<Delivered> = serde_json::from_str(&delivered).unwrap_or_default();
        let left = match folder {
            Some(folder) if with_files => files::remove(Path::new(&folder), &delivered),
            Some(_) | None => Vec::new(),
        };
        let change = self.db.transaction().map_err(failed)?;
        change
            .execute("DELETE FROM build WHERE id = ?1", [id.as_str()])
            .and_then(|_| {
                // The service goes on to list it.
                change.execute("INSERT OR IGNORE INTO forgotten VALUES (?1)", [id.as_str()])
            })
            .map_err(failed)?;
        change.commit().map_err(failed)?;
        Ok(left)
    }

    /// In what two builds differ.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchBuild`]
    pub fn compare(&self, a: &BuildId, b: &BuildId) -> Result<Comparison> {
        let specs = (self.spec(a)?, self.spec(b)?);
        let (a, b) = (self.detail(a)?, self.detail(b)?);
        Ok(compare::compare(&a, &b, (&specs.0, &specs.1)))
    }

    /// How long a build of this profile takes, in seconds: the middle one of the last nine that
    /// succeeded, whatever the cache had. `None` if there was none.
    ///
    /// # Errors
    ///
    /// [`Code::Io`]
    pub fn usual_seconds(&self, profile: &str) -> Result<Option<u64>> {
        let rows = self.rows_where(
            "state = 'succeeded' AND took_ms IS NOT NULL AND profile = ?",
            &[profile.to_owned()],
        )?;
        let mut times: Vec<u64> = rows.iter().take(9).filter_map(|row| row.took_ms).collect();
        times.sort_unstable();
        Ok(times.get(times.len() / 2).map(|ms| ms.div_ceil(1000)))
    }
}
