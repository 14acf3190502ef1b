//! Files: confined removal, atomic writing, locks, and work inside trees that packages made.

mod atomic;
mod confined;
mod lock;
mod space;
mod tree;

pub use atomic::write_atomic;
pub use confined::{Confined, mount_points};
pub use lock::{LockGuard, lock_exclusive, lock_shared};
pub use space::{free_bytes, free_inodes};
pub use tree::Tree;
