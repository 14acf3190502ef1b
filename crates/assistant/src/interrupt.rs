//! Ctrl-C: stops an answer, and ends the program when there is none.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::{consts::SIGINT, flag};

/// What the key has done.
#[derive(Debug, Clone)]
pub struct Interrupt {
    /// Whether the program may simply end.
    idle: Arc<AtomicBool>,
    happened: Arc<AtomicBool>,
}

/// As long as it lives, Ctrl-C is only noted.
#[derive(Debug)]
pub struct Busy<'a>(&'a Interrupt);

impl Interrupt {
    /// Watches the key from now on.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a handler.
    pub fn watch() -> io::Result<Self> {
        let interrupt = Self {
            idle: Arc::new(AtomicBool::new(true)),
            happened: Arc::new(AtomicBool::new(false)),
        };
        flag::register_conditional_default(SIGINT, Arc::clone(&interrupt.idle))?;
        flag::register(SIGINT, Arc::clone(&interrupt.happened))?;
        Ok(interrupt)
    }

    /// Begins something that Ctrl-C stops without ending the program.
    pub fn busy(&self) -> Busy<'_> {
        self.happened.store(false, Ordering::SeqCst);
        self.idle.store(false, Ordering::SeqCst);
        Busy(self)
    }

    /// Whether it was pressed since [`Interrupt::busy`].
    pub fn happened(&self) -> bool {
        self.happened.load(Ordering::SeqCst)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.idle.store(true, Ordering::SeqCst);
    }
}
