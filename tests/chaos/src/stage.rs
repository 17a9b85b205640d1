//! What is broken: a database and a Redis of our own behind proxies, and worker processes.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use tokio::process::{Child, Command};

use crate::module::TABLES;
use crate::proxy::Proxy;

/// Short, so that a frozen worker loses its jobs within a run.
pub const LEASE: Duration = Duration::from_millis(1_500);

pub struct Stage {
    admin: String,
    name: String,
    /// Around the proxies.
    pub direct: String,
    redis_port: u16,
    folder: tempfile::TempDir,
    redis: Child,
    pub postgres_proxy: Proxy,
    pub redis_proxy: Proxy,
    pub workers: Vec<Child>,
}

impl Stage {
    pub async fn set(workers: usize) -> Result<Self> {
        let admin = std::env::var("DATABASE_URL").context("DATABASE_URL is not set: use `make chaos`")?;
        let name = format!("chaos_{}", uuid::Uuid::now_v7().simple());
        AsyncPgConnection::establish(&admin).await?.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        let (server, _) = admin.rsplit_once('/').context("DATABASE_URL names no database")?;
        let direct = format!("{server}/{name}");
        keroxio_api::migrate::apply(&direct, &[]).await?;
        AsyncPgConnection::establish(&direct).await?.batch_execute(TABLES).await?;
        let folder = tempfile::tempdir()?;
        let redis_port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let redis = start_redis(redis_port, &folder).await?;
        let address = server.rsplit_once('@').map_or(server, |(_, address)| address);
        let postgres: SocketAddr = address.parse().with_context(|| format!("{address} is no address and port"))?;
        let postgres_proxy = Proxy::before(postgres).await?;
        let redis_proxy = Proxy::before(SocketAddr::from(([127, 0, 0, 1], redis_port))).await?;
        let mut stage =
            Self { admin, name, direct, redis_port, folder, redis, postgres_proxy, redis_proxy, workers: Vec::new() };
        for _ in 0..workers {
            let worker = stage.start_worker()?;
            stage.workers.push(worker);
        }
        Ok(stage)
    }

    /// What a process behind the proxies is told.
    pub fn settings(&self) -> Vec<(String, String)> {
        let (scheme, rest) = self.direct.split_once("://").unwrap_or_default();
        let credentials = rest.rsplit_once('@').map_or("", |(credentials, _)| credentials);
        let database = format!("{scheme}://{credentials}@127.0.0.1:{}/{}", self.postgres_proxy.port, self.name);
        let redis = format!("redis://127.0.0.1:{}/0", self.redis_proxy.port);
        [
            ("DATABASE_URL", database),
            ("REDIS_URL", redis),
            ("KEROXIO_REDIS_PREFIX", self.name.clone()),
            ("KEROXIO_DATABASE_POOL", "8".to_owned()),
            ("KEROXIO_JOB_LEASE_SECONDS", LEASE.as_secs_f64().to_string()),
            ("KEROXIO_SHUTDOWN_SECONDS", "3".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    pub fn start_worker(&self) -> Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("worker").envs(self.settings()).stdin(Stdio::null()).kill_on_drop(true);
        if std::env::var_os("CHAOS_LOUD").is_none() {
            command.stderr(Stdio::null());
        }
        Ok(command.spawn()?)
    }

    pub async fn restart_redis(&mut self) -> Result<()> {
        self.redis.kill().await?;
        self.redis = start_redis(self.redis_port, &self.folder).await?;
        Ok(())
    }

    pub async fn flush_redis(&self) -> Result<()> {
        use fred::prelude::{Builder, ClientLike as _, Config};
        let config = Config::from_url(&format!("redis://127.0.0.1:{}/0", self.redis_port))?;
        let client = Builder::from_config(config).build()?;
        client.init().await?;
        client.flushall::<()>(false).await?;
        client.quit().await?;
        Ok(())
    }

    /// One of PostgreSQL's processes dies, and it takes the whole server down into recovery.
    pub async fn crash_postgres(&self) -> Result<()> {
        #[derive(diesel::QueryableByName)]
        struct Backend {
            #[diesel(sql_type = diesel::sql_types::Integer)]
            pid: i32,
        }
        let mut conn = AsyncPgConnection::establish(&self.direct).await?;
        let backend: Backend = diesel::sql_query("SELECT pg_backend_pid() AS pid").get_result(&mut conn).await?;
        signal("-KILL", backend.pid.try_into()?).await
    }

    pub async fn connect(&self) -> AsyncPgConnection {
        loop {
            match AsyncPgConnection::establish(&self.direct).await {
                Ok(conn) => return conn,
                // It is recovering.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Workers are told to stop, and everything is removed.
    pub async fn strike(mut self) -> Result<()> {
        for worker in &self.workers {
            if let Some(pid) = worker.id() {
                signal("-TERM", pid).await?;
            }
        }
        for worker in &mut self.workers {
            let left = worker.wait().await?;
            anyhow::ensure!(left.success(), "a worker told to stop ended with {left}");
        }
        self.redis.kill().await?;
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        AsyncPgConnection::establish(&self.admin).await?.batch_execute(&drop).await?;
        Ok(())
    }
}

/// Answers once it listens.
async fn start_redis(port: u16, folder: &tempfile::TempDir) -> Result<Child> {
    let redis = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("redis-server cannot be started: run `make setup`")?;
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(redis)
}

pub async fn signal(signal: &str, pid: u32) -> Result<()> {
    let sent = Command::new("kill").args([signal, &pid.to_string()]).status().await?;
    anyhow::ensure!(sent.success(), "kill {signal} {pid} failed");
    Ok(())
}
