//! The threads that compute hashes of passwords, and their memory.
//!
//! They get half of the cores, and yield to whoever answers requests: a flood of log-ins costs those who log in time, and
//! nobody else anything. The 19 MiB a hash takes are kept: to get them from the system takes as long as to fill them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use keroxio_core::{Error, Result};

type Work = Box<dyn FnOnce(&mut Memory) + Send>;

/// How much less than others the threads want the processor (nice).
#[cfg(target_os = "linux")]
const YIELDING: i32 = 10;

static THREADS: LazyLock<Sender<Work>> = LazyLock::new(|| {
    let (sender, receiver) = channel();
    let receiver = Arc::new(Mutex::new(receiver));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for _ in 0..cores.div_ceil(2) {
        let receiver = Arc::clone(&receiver);
        let thread = std::thread::Builder::new().name("passwords".to_owned());
        if let Err(e) = thread.spawn(move || work_on(&receiver)) {
            tracing::error!("no thread to hash passwords: {e}");
        }
    }
    sender
});

fn work_on(waiting: &Mutex<Receiver<Work>>) {
    #[cfg(target_os = "linux")]
    if let Err(e) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), YIELDING) {
        tracing::warn!("hashing passwords has the priority of everything else: {e}");
    }
    let mut memory = Memory::default();
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        // Whoever waits for it hears that nothing comes.
        let _ = catch_unwind(AssertUnwindSafe(|| work(&mut memory)));
    }
}

/// Runs on one of the threads when it is its turn; not at all where nobody waits for it any more.
///
/// # Errors
/// When the work panicked.
pub async fn in_turn<T: Send + 'static>(work: impl FnOnce(&mut Memory) -> T + Send + 'static) -> Result<T> {
    let (sender, answer) = tokio::sync::oneshot::channel();
    let work = move |memory: &mut Memory| {
        if !sender.is_closed() {
            let _ = sender.send(work(memory));
        }
    };
    THREADS.send(Box::new(work)).map_err(|_| Error::internal(anyhow::anyhow!("nobody hashes passwords")))?;
    answer.await.map_err(Error::internal)
}

/// What hashes are computed in.
#[derive(Default)]
pub struct Memory(Vec<Block>);

impl Memory {
    /// argon2id with the library's current defaults and a fresh salt, as a PHC string.
    pub fn hash(&mut self, password: &[u8]) -> anyhow::Result<String> {
        let (argon2, salt) = (Argon2::default(), Salt::generate());
        let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let hash = PasswordHash {
            algorithm: Algorithm::default().ident(),
            version: Some(Version::default().into()),
            params: ParamsString::try_from(argon2.params())?,
            salt: Some(salt),
            hash: Some(self.digest(&argon2, password, &salt, length)?),
        };
        Ok(hash.to_string())
    }

    /// Whether a password has this PHC string of any argon2.
    pub fn has(&mut self, password: &[u8], expected: &str) -> bool {
        self.of(password, expected).unwrap_or_default()
    }

    fn of(&mut self, password: &[u8], expected: &str) -> anyhow::Result<bool> {
        let known = PasswordHash::new(expected)?;
        let (Some(salt), Some(hash)) = (known.salt, known.hash) else { return Ok(false) };
        let version = known.version.map(Version::try_from).transpose()?.unwrap_or_default();
        let algorithm = Algorithm::try_from(known.algorithm.as_str())?;
        let argon2 = Argon2::new(algorithm, version, Params::try_from(&known)?);
        // Outputs are compared in constant time.
        Ok(self.digest(&argon2, password, &salt, hash.len())? == hash)
    }

    fn digest(&mut self, argon2: &Argon2<'_>, password: &[u8], salt: &[u8], length: usize) -> anyhow::Result<Output> {
        self.0.resize(argon2.params().block_count(), Block::default());
        let mut digest = vec![0; length];
        argon2.hash_password_into_with_memory(password, salt, &mut digest, self.0.as_mut_slice())?;
        Ok(Output::new(&digest)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

    use super::*;

    #[test]
    fn ours_and_the_librarys_hashes_are_the_same() {
        let mut memory = Memory::default();
        let ours = memory.hash(b"correct horse battery").unwrap();
        let parsed = PasswordHash::new(&ours).unwrap();
        assert!(Argon2::default().verify_password(b"correct horse battery", &parsed).is_ok(), "{ours}");
        assert_ne!(ours, memory.hash(b"correct horse battery").unwrap(), "each has its salt");
        let theirs: PasswordHash = Argon2::default().hash_password(b"correct horse battery").unwrap();
        // Another size between them: nothing of the one before is left.
        let small = Argon2::from(Params::new(64, 1, 1, Some(24)).unwrap());
        let small: PasswordHash = small.hash_password(b"correct horse battery").unwrap();
        for known in [small.to_string(), theirs.to_string(), ours] {
            assert!(memory.has(b"correct horse battery", &known), "{known}");
            assert!(!memory.has(b"another", &known), "{known}");
        }
        assert!(!memory.has(b"", "$argon2id$nonsense"));
    }
}
