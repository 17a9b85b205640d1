//! The least that could do the same: Redis Streams alone, and with a row committed 100 at a time.

use std::time::{Duration, Instant};

use diesel::sql_types::{Array, Jsonb, Uuid as SqlUuid};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use fred::prelude::{Builder, Client, ClientLike as _, Config, KeysInterface as _, StreamsInterface as _};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::GROUP;

const STREAM: &str = "bench:floor";
const READERS: &str = "readers";

pub struct Floor {
    redis: Client,
    postgres: AsyncPgConnection,
}

impl Floor {
    pub async fn start() -> Self {
        let config = Config::from_url(&std::env::var("REDIS_URL").expect("REDIS_URL")).unwrap();
        let redis = Builder::from_config(config).build().unwrap();
        redis.init().await.unwrap();
        let url = std::env::var("DATABASE_URL").expect("DATABASE_URL");
        let mut postgres = AsyncPgConnection::establish(&url).await.unwrap();
        let table = "DROP TABLE IF EXISTS bench_outbox; \
            CREATE TABLE bench_outbox (id uuid PRIMARY KEY, args jsonb NOT NULL, done boolean NOT NULL DEFAULT false)";
        postgres.batch_execute(table).await.unwrap();
        Self { redis, postgres }
    }

    /// Pipelined XADD, XREADGROUP, XACK and XDEL by 100; nothing is durable.
    pub async fn streams(&mut self, jobs: usize) -> (Duration, Duration) {
        self.clear().await;
        let begun = Instant::now();
        for _ in (0..jobs).step_by(GROUP) {
            let ids: Vec<Uuid> = (0..GROUP).map(|_| Uuid::now_v7()).collect();
            self.add(&ids).await;
        }
        let enqueued = begun.elapsed();
        let begun = Instant::now();
        for _ in (0..jobs).step_by(GROUP) {
            let (entries, _) = self.read().await;
            self.acknowledge(entries).await;
        }
        (enqueued, begun.elapsed())
    }

    /// The same with a row per job: inserted before the XADD, marked done after the read.
    pub async fn outbox(&mut self, jobs: usize) -> (Duration, Duration) {
        self.clear().await;
        let begun = Instant::now();
        for _ in (0..jobs).step_by(GROUP) {
            let ids: Vec<Uuid> = (0..GROUP).map(|_| Uuid::now_v7()).collect();
            let args: Vec<Value> = (0..GROUP).map(|number| json!({ "number": number })).collect();
            diesel::sql_query("INSERT INTO bench_outbox (id, args) SELECT * FROM unnest($1, $2)")
                .bind::<Array<SqlUuid>, _>(&ids)
                .bind::<Array<Jsonb>, _>(args)
                .execute(&mut self.postgres)
                .await
                .unwrap();
            self.add(&ids).await;
        }
        let enqueued = begun.elapsed();
        let begun = Instant::now();
        for _ in (0..jobs).step_by(GROUP) {
            let (entries, ids) = self.read().await;
            diesel::sql_query("UPDATE bench_outbox SET done = true WHERE id = ANY($1)")
                .bind::<Array<SqlUuid>, _>(ids)
                .execute(&mut self.postgres)
                .await
                .unwrap();
            self.acknowledge(entries).await;
        }
        (enqueued, begun.elapsed())
    }

    async fn clear(&mut self) {
        self.redis.del::<(), _>(STREAM).await.unwrap();
        self.redis.xgroup_create::<(), _, _, _>(STREAM, READERS, "0", true).await.unwrap();
        self.postgres.batch_execute("TRUNCATE bench_outbox").await.unwrap();
    }

    async fn add(&self, ids: &[Uuid]) {
        let pipeline = self.redis.pipeline();
        for id in ids {
            let fields = vec![("id", id.to_string())];
            pipeline.xadd::<(), _, _, _, _>(STREAM, false, None::<()>, "*", fields).await.unwrap();
        }
        pipeline.all::<()>().await.unwrap();
    }

    async fn read(&self) -> (Vec<String>, Vec<Uuid>) {
        let count = Some(GROUP as u64);
        let value: fred::types::Value =
            self.redis.xreadgroup(READERS, "reader", count, None, false, STREAM, ">").await.unwrap();
        let response = value.into_xread_response::<String, String, String, String>().unwrap();
        let entries = response.into_values().flatten();
        entries.map(|(entry, fields)| (entry, fields["id"].parse::<Uuid>().unwrap())).unzip()
    }

    async fn acknowledge(&self, entries: Vec<String>) {
        let pipeline = self.redis.pipeline();
        pipeline.xack::<(), _, _, _>(STREAM, READERS, entries.clone()).await.unwrap();
        pipeline.xdel::<(), _, _>(STREAM, entries).await.unwrap();
        pipeline.all::<()>().await.unwrap();
    }
}
