use anyhow::Context as _;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use keroxio_core::{Env, Module};
use keroxio_schema::MODULES;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// Our migrations and those that modules bring along; one list, because the way back needs to know all.
struct All(Vec<EmbeddedMigrations>);

impl All {
    fn of(modules: &[&dyn Module]) -> anyhow::Result<Self> {
        let mut all = vec![MIGRATIONS];
        for module in modules {
            let Some(own) = module.migrations() else { continue };
            for migration in MigrationSource::<Pg>::migrations(&own).map_err(|e| anyhow::anyhow!("{e}"))? {
                let name = migration.name().to_string();
                let marked = name.contains(&format!("_{}_", module.name()));
                anyhow::ensure!(marked, "migration {name} does not carry the name of its module {}", module.name());
            }
            all.push(own);
        }
        Ok(Self(all))
    }
}

impl MigrationSource<Pg> for All {
    fn migrations(&self) -> diesel::migration::Result<Vec<Box<dyn Migration<Pg>>>> {
        let mut all = Vec::new();
        for source in &self.0 {
            all.extend(source.migrations()?);
        }
        Ok(all)
    }
}

/// Role `migrate`.
pub async fn run(redo: bool) -> anyhow::Result<()> {
    let env = Env::from_process();
    let url = env.required("DATABASE_URL", "PostgreSQL, e.g. postgres://user:password@host/db");
    env.check()?;
    for name in apply(&url, MODULES).await? {
        eprintln!("==> migrated {name}");
    }
    if redo {
        revert_all(&url, MODULES).await?;
        let names = apply(&url, MODULES).await?;
        eprintln!("==> undid and repeated {} migrations", names.len());
    }
    Ok(())
}

/// Applies what is missing and answers its names.
///
/// # Errors
/// When the database cannot be reached or a migration fails; earlier ones stay applied.
pub async fn apply(url: &str, modules: &[&dyn Module]) -> anyhow::Result<Vec<String>> {
    let mut harness = AsyncMigrationHarness::new(establish(url).await?);
    let done = harness.run_pending_migrations(All::of(modules)?).map_err(|e| anyhow::anyhow!("migration: {e}"))?;
    Ok(done.into_iter().map(|version| version.to_string()).collect())
}

/// Names of migrations that are missing.
///
/// # Errors
/// When the database cannot be reached.
pub async fn pending(url: &str, modules: &[&dyn Module]) -> anyhow::Result<Vec<String>> {
    let mut harness = AsyncMigrationHarness::new(establish(url).await?);
    let missing = harness.pending_migrations(All::of(modules)?).map_err(|e| anyhow::anyhow!("migrations: {e}"))?;
    Ok(missing.iter().map(|migration| migration.name().to_string()).collect())
}

/// Undoes every migration, newest first.
///
/// # Errors
/// When a `down.sql` fails.
pub async fn revert_all(url: &str, modules: &[&dyn Module]) -> anyhow::Result<()> {
    let mut harness = AsyncMigrationHarness::new(establish(url).await?);
    harness.revert_all_migrations(All::of(modules)?).map_err(|e| anyhow::anyhow!("way back: {e}"))?;
    Ok(())
}

/// The database of the settings.
///
/// # Errors
/// When it is not set or cannot be reached.
pub async fn connect() -> anyhow::Result<AsyncPgConnection> {
    let env = Env::from_process();
    let url = env.required("DATABASE_URL", "PostgreSQL, e.g. postgres://user:password@host/db");
    env.check()?;
    establish(&url).await
}

async fn establish(url: &str) -> anyhow::Result<AsyncPgConnection> {
    let conn = keroxio_core::establish(url, &Env::from_process()).await;
    conn.context("PostgreSQL cannot be reached; check DATABASE_URL")
}
