use anyhow::Context as _;
use diesel_async::{AsyncConnection as _, AsyncMigrationHarness, AsyncPgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use keroxio_core::Env;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// Role `migrate`.
pub async fn run(redo: bool) -> anyhow::Result<()> {
    let env = Env::from_process();
    let url = env.required("DATABASE_URL", "PostgreSQL, e.g. postgres://user:password@host/db");
    env.check()?;
    for name in apply(&url).await? {
        eprintln!("==> migrated {name}");
    }
    if redo {
        revert_all(&url).await?;
        let names = apply(&url).await?;
        eprintln!("==> undid and repeated {} migrations", names.len());
    }
    Ok(())
}

/// Applies what is missing and answers its names.
///
/// # Errors
/// When the database cannot be reached or a migration fails; earlier ones stay applied.
pub async fn apply(url: &str) -> anyhow::Result<Vec<String>> {
    let mut harness = AsyncMigrationHarness::new(connect(url).await?);
    let done = harness.run_pending_migrations(MIGRATIONS).map_err(|e| anyhow::anyhow!("migration: {e}"))?;
    Ok(done.into_iter().map(|version| version.to_string()).collect())
}

/// Undoes every migration, newest first.
///
/// # Errors
/// When a `down.sql` fails.
pub async fn revert_all(url: &str) -> anyhow::Result<()> {
    let mut harness = AsyncMigrationHarness::new(connect(url).await?);
    harness.revert_all_migrations(MIGRATIONS).map_err(|e| anyhow::anyhow!("way back: {e}"))?;
    Ok(())
}

async fn connect(url: &str) -> anyhow::Result<AsyncPgConnection> {
    AsyncPgConnection::establish(url).await.context("PostgreSQL cannot be reached; check DATABASE_URL")
}
