//! Builds that were started elsewhere: seen, answered, stopped.

use std::{
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use isosmith_client::blocking::Client;
use isosmith_engine::{Failure, Work, history, journal};
use isosmith_host::Cancel;
use isosmith_protocol::{BuildId, BuildView, Choice, Code, Event, EventKind};

use super::print;
use crate::{
    Command, Ended,
    args::{Answer, Common},
    places::Places,
    render::{self, Answering},
    service,
    watch::{Ending, Hands, watch},
    way::{self, Place, failed},
};

/// Stops a build, wherever it runs.
pub fn cancel(id: &BuildId, common: &Common, places: &Places) -> Command {
    match Place::of(id, common, places)? {
        Place::Folder(_) => isosmith_engine::request_cancel(&places.state, id)?,
        Place::Service(client) => client.cancel(id).map_err(failed)?,
    }
    Ok(Ended::Well)
}

/// Shows a build from its beginning.
pub fn attach(id: Option<BuildId>, json: bool, common: &Common, places: &Places) -> Command {
    let id = id.map_or_else(|| newest(common, places), Ok)?;
    let work = match Place::of(&id, common, places)? {
        Place::Service(client) => return service::attach(&client, &id, json, common),
        Place::Folder(work) => work,
    };
    let mut viewer = render::viewer(common, json, Answering::Elsewhere);
    match watch(follow(&work), viewer.as_mut(), &Hands::default())? {
        Ending::Over(result) => {
            viewer.end(&result, None);
            Ok(Ended::Build(result))
        }
        Ending::Left { stopping } => {
            viewer.note(&Ending::farewell(stopping, &id));
            Ok(Ended::Left)
        }
    }
}

fn follow(work: &Work) -> impl Iterator<Item = Result<Event, Failure>> + Send + use<> {
    journal::follow(&work.journal(), 0, &Cancel::new()).map(Ok)
}

/// The newest build that is not over.
fn newest(common: &Common, places: &Places) -> Result<BuildId, Failure> {
    let mut open: Vec<(u64, BuildId)> = Vec::new();
    if !common.service {
        let own = history::list(&places.state)?.into_iter();
        let running = own.filter(|build| build.result.is_none());
        open.extend(running.map(|build| (build.started, build.id)));
    }
    if let Some(client) = way::service(common)? {
        open.extend(open_in(&client)?);
    }
    open.into_iter().max().map(|(_, id)| id).ok_or_else(|| {
        Failure::new(
            Code::NoSuchBuild,
            "no build is running",
            "Give the id of one that is over to see it again; `isosmith builds` lists them.",
        )
    })
}

fn open_in(client: &Client) -> Result<impl Iterator<Item = (u64, BuildId)> + use<>, Failure> {
    let builds = client.list(false).map_err(failed)?.into_iter();
    Ok(builds
        .filter(|build| build.state.is_open())
        .map(|build| (build.started, build.id)))
}

/// Settles the question of a build.
pub fn answer(
    id: Option<BuildId>,
    answer: Answer,
    question: Option<u32>,
    common: &Common,
    places: &Places,
) -> Command {
    let id = id.map_or_else(|| newest(common, places), Ok)?;
    let Place::Service(client) = Place::of(&id, common, places)? else {
        return Err(Failure::new(
            Code::WrongState,
            format!("the build {id} takes answers only where it was started"),
            "Press r or s there.",
        ));
    };
    let choice = match answer {
        Answer::Retry => Choice::Retry,
        Answer::Stop => Choice::Stop,
    };
    let events = listen(&client, &id);
    let question = match question {
        Some(question) => question,
        None => open_question(&events, &id)?,
    };
    client.answer(&id, question, choice).map_err(failed)?;
    match settled(&events, question)? {
        Some(Choice::Retry) => print("the step is tried again")?,
        Some(Choice::Stop | Choice::Other) => print("the build stops")?,
        None => print("the build was told")?,
    }
    Ok(Ended::Well)
}

/// The build's events from the first on, read elsewhere, so that they can be waited for with
/// patience that has an end.
fn listen(client: &Client, id: &BuildId) -> Receiver<Result<Event, Failure>> {
    let (say, said) = mpsc::channel();
    let events = client.events(id, 0);
    thread::spawn(move || {
        for event in events {
            if say.send(event.map_err(failed)).is_err() {
                return;
            }
        }
    });
    said
}

/// The question that is open now: what was asked when everything up to now has been read. A
/// stream does not say where "now" is, but progress and figures come only after it, and a
/// build that waits says nothing else.
fn open_question(events: &Receiver<Result<Event, Failure>>, id: &BuildId) -> Result<u32, Failure> {
    let mut view = BuildView::default();
    while let Ok(event) = events.recv_timeout(Duration::from_millis(700)) {
        let event = event?;
        view.apply(&event);
        if event.kind.is_lossy() {
            break;
        }
    }
    view.question
        .map(|question| question.number)
        .ok_or_else(|| {
            Failure::new(
                Code::WrongState,
                format!("the build {id} asks nothing"),
                "`isosmith attach` shows what it does.",
            )
        })
}

/// How the question was settled; `None` if that is not known within ten seconds.
fn settled(
    events: &Receiver<Result<Event, Failure>>,
    question: u32,
) -> Result<Option<Choice>, Failure> {
    while let Ok(event) = events.recv_timeout(Duration::from_secs(10)) {
        let kind = event?.kind;
        if let EventKind::Finished { .. } = kind {
            return Ok(None);
        }
        if let EventKind::Answered {
            question: settled,
            choice,
        } = kind
            && settled == question
        {
            return Ok(Some(choice));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use isosmith_protocol::{Metrics, StepId};

    use super::*;

    fn said(kinds: Vec<EventKind>) -> Receiver<Result<Event, Failure>> {
        let (say, said) = mpsc::channel();
        for (seq, kind) in (0..).zip(kinds) {
            let event = Event {
                seq,
                at_ms: 0,
                kind,
            };
            say.send(Ok(event)).expect("listening");
        }
        said
    }

    fn asked(question: u32) -> EventKind {
        EventKind::Asked {
            question,
            error: Failure::plain(Code::DiskFull, "full").view(None),
            choices: vec![Choice::Retry, Choice::Stop],
        }
    }

    const fn answered(question: u32, choice: Choice) -> EventKind {
        EventKind::Answered { question, choice }
    }

    #[test]
    fn the_open_question_is_the_last_without_an_answer() {
        let id = BuildId::parse("x").expect("an id");
        let figures = || EventKind::Metrics {
            metrics: Metrics::default(),
        };
        let warned = || EventKind::Warned {
            step: StepId::new("x"),
            message: String::new(),
        };
        for (kinds, want) in [
            (vec![], None),
            (vec![warned()], None),
            (vec![asked(1)], Some(1)),
            (vec![asked(1), answered(1, Choice::Retry)], None),
            (
                vec![asked(1), answered(1, Choice::Retry), asked(2), figures()],
                Some(2),
            ),
        ] {
            let text = format!("{kinds:?}");
            let found = open_question(&said(kinds), &id);
            assert_eq!(found.map_err(|f| f.code).ok(), want, "{text}");
        }
    }

    #[test]
    fn whose_answer_counted_is_told() {
        for (kinds, want) in [
            (
                vec![
                    asked(1),
                    answered(1, Choice::Stop),
                    asked(2),
                    answered(2, Choice::Retry),
                ],
                Some(Choice::Retry),
            ),
            (vec![asked(2)], None),
        ] {
            assert_eq!(settled(&said(kinds), 2).expect("no failure"), want);
        }
    }
}
