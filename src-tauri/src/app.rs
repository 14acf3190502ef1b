//! From the command line to a window.

use std::{path::Path, sync::Arc};

use isosmith_studio::Places;
use tauri::{AppHandle, Manager, generate_context, generate_handler};
use tauri_plugin_window_state::StateFlags;

use crate::{
    args::Args,
    builder::{Builder, Player, Service},
    commands::{builds, desktop, drafts, history, packages, preview, settings, start},
    controller::Controller,
    desktop::Real,
    window,
};

/// Shows the window until it is closed.
///
/// # Errors
///
/// In words, when there is no desktop, no home folder or no recording.
pub fn run(args: Args) -> Result<(), String> {
    let builder: Arc<dyn Builder> = match &args.mock {
        None => Arc::new(Service::default()),
        Some(recording) => Arc::new(
            Player::new(recording.as_deref(), args.speed).map_err(|fault| format!("{fault:?}"))?,
        ),
    };
    let places = Places::of_person().map_err(|error| error.to_string())?;
    let app = match &args.mock {
        // A recording may be looked at beside the real window.
        Some(_) => tauri::Builder::default(),
        None => tauri::Builder::default().plugin(tauri_plugin_single_instance::init(started_again)),
    };
    app.plugin(
        tauri_plugin_window_state::Builder::new()
            .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
            .build(),
    )
    .setup(move |app| {
        let page = window::Page::new(app.handle());
        let controller =
            Controller::new(places, builder, Box::new(Real::default()), Box::new(page));
        if let Some(file) = &args.file {
            controller.open(&std::path::absolute(file)?);
        }
        app.manage(controller);
        window::open(app.handle())?;
        Ok(())
    })
    .on_window_event(window::happened)
    .invoke_handler(generate_handler![
        start::start_page,
        start::picture,
        start::page_listens,
        drafts::open_draft,
        drafts::edit_draft,
        drafts::edit_text,
        drafts::save_draft,
        drafts::pick,
        drafts::plan,
        drafts::hash_password,
        preview::preview,
        packages::totals,
        packages::search_packages,
        packages::package_cost,
        builds::start_build,
        builds::attach,
        builds::cancel_build,
        builds::answer,
        builds::resume_build,
        history::builds,
        history::build,
        history::delete_build,
        history::compare,
        history::check_download,
        desktop::try_it,
        desktop::show_in_folder,
        desktop::close_window,
        desktop::keep_open,
        settings::settings,
        settings::set_settings,
    ])
    .run(generate_context!())
    .map_err(|error| format!("there is no window to be had: {error}"))
}

/// Somebody has started the window again: it comes to the front, with the file they named.
fn started_again(app: &AppHandle, words: Vec<String>, folder: String) {
    let file = Args::of_another(words).and_then(|args| args.file);
    if let Some(file) = file {
        app.state::<Arc<Controller>>()
            .open(&Path::new(&folder).join(file));
    }
    window::to_front(app);
}
