//! The client against a fake service, over a socket of their own.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops with a message"
)]

mod fake;

use std::{fs, os::unix::net::UnixStream, path::Path, sync::Arc};

use fake::{Fake, Told};
use isosmith_client::{Client, Error, Options, OutputFolder, PATH, Request, State, What};
use isosmith_protocol::{BuildId, BuildResult, Choice, Code, EventKind};
use isosmith_spec::{Layer, Origin};
use zbus::{Connection, Guid, block_on, connection};

struct Both {
    client: Client,
    told: Arc<Told>,
    /// Ends the service when it goes.
    service: Connection,
    folder: tempfile::TempDir,
}

impl Both {
    fn new() -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let told = Arc::new(Told::default());
        let fake = Fake(told.clone());
        let (client, service) = block_on(async {
            let guid = Guid::generate();
            let service = connection::Builder::async_io_unix_stream(theirs)
                .server(guid)
                .unwrap()
                .p2p()
                .serve_at(PATH, fake)
                .unwrap()
                .build();
            let client = connection::Builder::async_io_unix_stream(ours)
                .p2p()
                .build();
            let (service, client) = futures_join(service, client).await;
            (
                Client::over(client.unwrap()).await.unwrap(),
                service.unwrap(),
            )
        });
        Self {
            client,
            told,
            service,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn start(&self, words: &str) -> Result<BuildId, Error> {
        let output = OutputFolder::open(&self.folder.path().join("out"))?;
        block_on(
            self.client
                .start(&request(words, self.folder.path())?, &output),
        )
    }

    fn calls(&self) -> Vec<String> {
        self.told.calls.lock().unwrap().clone()
    }
}

/// Both at once: each waits for the other's greeting.
async fn futures_join<A: Send + 'static, B>(
    a: impl Future<Output = A> + Send + 'static,
    b: impl Future<Output = B>,
) -> (A, B) {
    let a = std::thread::spawn(move || block_on(a));
    let b = b.await;
    (a.join().unwrap(), b)
}

/// A request whose profile says `words` and names a script and a folder below `base`.
fn request(words: &str, base: &Path) -> Result<Request, Error> {
    fs::create_dir_all(base.join("over")).unwrap();
    fs::write(base.join("over/file"), "text").unwrap();
    fs::write(base.join("script"), "#!/bin/sh\n").unwrap();
    let text = format!(
        "format = 1\n[profile]\nname = \"x\"\ndescription = \"{words}\"\n\
         [[files]]\nsource = \"over\"\ntarget = \"/opt\"\n[[scripts]]\nsource = \"script\"\npoint = \"after-packages\"\n"
    );
    let layer = Layer::new(Origin::Profile("x".into()), "", text.clone());
    let (spec, _) = isosmith_spec::load(vec![layer], &|_| None).unwrap();
    Request::gather(text, &spec.materials(), base, Options::default())
}

#[test]
fn a_build_is_started_with_files_and_seen_to_its_end() {
    let both = Both::new();
    let id = both.start("plain").unwrap();
    assert_eq!(
        both.calls(),
        [
            "start 2 files [\"explain-cache\", \"squashfs-writer\", \"strict\"]",
            "file over 2048",
            "file script 10",
        ]
    );
    let events: Vec<_> = both.client.events(&id, 0).map(Result::unwrap).collect();
    assert_eq!(events.len(), 5);
    assert!(matches!(
        &events[4].kind,
        EventKind::Finished {
            result: BuildResult::Succeeded { .. }
        }
    ));
    let described = block_on(both.client.describe(&id)).unwrap();
    assert_eq!(described.state, State::Succeeded);
    assert_eq!(described.iso.as_deref(), Some("fake.iso"));
    let delivered = fs::read_to_string(both.folder.path().join("out/fake.iso"));
    assert_eq!(delivered.unwrap(), "an ISO");
}

#[test]
fn a_torn_stream_is_taken_up_again() {
    let both = Both::new();
    let id = both.start("plain").unwrap();
    *both.told.tear.lock().unwrap() = Some(2);
    let seqs: Vec<_> = both
        .client
        .events(&id, 0)
        .map(|event| event.unwrap().seq)
        .collect();
    assert_eq!(seqs, [0, 1, 2, 3, 4]);
    let attached: Vec<_> = both
        .calls()
        .into_iter()
        .filter(|call| call.starts_with("attach"))
        .collect();
    assert_eq!(
        attached,
        [format!("attach {id} 0"), format!("attach {id} 2")]
    );
}

#[test]
fn refusals_have_their_codes() {
    let both = Both::new();
    let refused = |words| both.start(words).unwrap_err();
    assert_eq!(refused("refused").code(), Code::NotAuthorised);
    let dismissed = refused("dismissed");
    assert_eq!(dismissed.code(), Code::PromptDismissed);
    assert_eq!(dismissed.view().advice, "Advice of the fake.");

    let none = BuildId::parse("none").unwrap();
    let failed = block_on(both.client.cancel(&none)).unwrap_err();
    assert_eq!(failed.code(), Code::NoSuchBuild);
    let mut events = both.client.events(&none, 0);
    assert_eq!(
        events.next().unwrap().unwrap_err().code(),
        Code::NoSuchBuild
    );
    assert!(events.next().is_none());

    let id = both.start("forever").unwrap();
    block_on(both.client.cancel(&id)).unwrap();
    let failed = block_on(both.client.cancel(&id)).unwrap_err();
    assert_eq!(failed.code(), Code::WrongState);
}

#[test]
fn questions_lists_and_room() {
    let both = Both::new();
    let id = both.start("asks").unwrap();
    let listed = block_on(both.client.list(false)).unwrap();
    assert_eq!(
        (listed.len(), &listed[0].id, listed[0].state),
        (1, &id, State::Running)
    );
    block_on(both.client.answer(&id, 1, Choice::Stop)).unwrap();
    let described = block_on(both.client.describe(&id)).unwrap();
    assert!(described.state.is_resumable());
    let output = OutputFolder::open(&both.folder.path().join("again")).unwrap();
    block_on(both.client.resume(&id, &output)).unwrap();
    assert!(both.folder.path().join("again/fake.iso").exists());
    assert_eq!(
        block_on(both.client.clean(What::Unused, true)).unwrap(),
        4096
    );
    for call in [
        format!("answer {id} 1 stop"),
        format!("resume {id}"),
        "list false".to_owned(),
        "clean unused true".to_owned(),
    ] {
        assert!(both.calls().contains(&call), "{call}");
    }
}

#[test]
fn changes_are_heard() {
    let both = Both::new();
    let id = both.start("plain").unwrap();
    block_on(async {
        let mut changes = both.client.changes().await.unwrap();
        let server = both.service.object_server();
        let fake = server.interface::<_, Fake>(PATH).await.unwrap();
        Fake::changed(fake.signal_emitter(), "No Id", "running")
            .await
            .unwrap();
        Fake::changed(fake.signal_emitter(), id.as_str(), "succeeded")
            .await
            .unwrap();
        assert_eq!(changes.next().await, Some((id.clone(), State::Succeeded)));
    });
}

#[test]
fn a_service_that_is_gone_is_unavailable() {
    let both = Both::new();
    let id = both.start("forever").unwrap();
    let Both {
        client, service, ..
    } = both;
    block_on(service.close()).unwrap();
    let failed = block_on(client.list(false)).unwrap_err();
    assert_eq!(failed.code(), Code::ServiceUnavailable);
    let failed = block_on(client.cancel(&id)).unwrap_err();
    assert_eq!(failed.code(), Code::ServiceUnavailable);
}
