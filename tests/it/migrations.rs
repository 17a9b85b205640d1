//! The way back, and the Rust side of the tables.

use std::collections::BTreeMap;
use std::path::Path;

use diesel::sql_types::Text;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use keroxio_api::migrate::{apply, revert_all};
use keroxio_schema::MODULES;
use keroxio_test_support::{TestDatabase, migrate};

#[tokio::test]
async fn every_migration_can_be_undone_and_repeated() {
    let database = TestDatabase::create().await;
    let before = columns(&database.url).await;
    let url = database.url.clone();
    migrate(|| async move {
        revert_all(&url, MODULES).await?;
        Ok(())
    })
    .await;
    let left: Vec<_> = columns(&database.url).await.into_keys().collect();
    assert_eq!(left, ["__diesel_schema_migrations"]);
    let url = database.url.clone();
    migrate(|| async move {
        assert_eq!(apply(&url, MODULES).await?.len(), migration_folders());
        Ok(())
    })
    .await;
    assert_eq!(columns(&database.url).await, before);
    database.drop().await;
}

fn migration_folders() -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    std::fs::read_dir(folder).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count()
}

/// Each module's `tables.rs` says what a fresh database holds, and every table carries its module's prefix.
#[tokio::test]
async fn tables_rs_equals_a_fresh_database() {
    let database = TestDatabase::create().await;
    let mut real = columns(&database.url).await;
    real.remove("__diesel_schema_migrations");
    let mut declared = BTreeMap::new();
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../modules");
    for module in std::fs::read_dir(modules).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(source) = std::fs::read_to_string(module.join("src/tables.rs")) else { continue };
        let prefix = format!("{}_", module.file_name().unwrap().to_string_lossy());
        for (table, columns) in declared_tables(&source) {
            assert!(table.starts_with(&prefix), "{table} in {}", module.display());
            declared.insert(table, columns);
        }
    }
    assert_eq!(declared, real);
    database.drop().await;
}

/// Tables of a database: `column -> Type` lines as `diesel::table!` writes them, the key first.
async fn columns(url: &str) -> BTreeMap<String, Vec<String>> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        table_name: String,
        #[diesel(sql_type = Text)]
        line: String,
    }
    let mut conn = AsyncPgConnection::establish(url).await.unwrap();
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT t.relname::text AS table_name, CASE WHEN l.attnum = 0 THEN \
           'key ' || (SELECT string_agg(k.attname, ', ' ORDER BY array_position(i.indkey::int2[], k.attnum)) \
             FROM pg_index i JOIN pg_attribute k ON k.attrelid = t.oid AND k.attnum = ANY (i.indkey) \
             WHERE i.indrelid = t.oid AND i.indisprimary) \
         ELSE l.attname || ' -> ' || CASE WHEN l.attnotnull THEN '' ELSE '?' END || format_type(l.atttypid, NULL) END AS line \
         FROM pg_class t CROSS JOIN LATERAL ( \
           SELECT 0 AS attnum, NULL::name AS attname, true AS attnotnull, 0::oid AS atttypid \
           UNION ALL SELECT a.attnum, a.attname, a.attnotnull, a.atttypid FROM pg_attribute a \
             WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped) l \
         WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace ORDER BY t.relname, l.attnum",
    )
    .load(&mut conn)
    .await
    .unwrap();
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows {
        tables.entry(row.table_name).or_default().push(row.line);
    }
    tables
}

/// The same lines from the source of a `tables.rs`.
fn declared_tables(source: &str) -> Vec<(String, Vec<String>)> {
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for line in source.lines().map(str::trim) {
        if let Some((column, ty)) = line.strip_suffix(',').and_then(|l| l.split_once(" -> ")) {
            let (mark, ty) = match ty.strip_prefix("Nullable<") {
                Some(inner) => ("?", inner.trim_end_matches('>')),
                None => ("", ty),
            };
            tables.last_mut().unwrap().1.push(format!("{column} -> {mark}{}", sql_name(ty)));
        } else if let Some((table, key)) = line.strip_suffix(") {").and_then(|l| l.split_once(" (")) {
            tables.push((table.to_owned(), vec![format!("key {key}")]));
        }
    }
    tables
}

fn sql_name(diesel: &str) -> &'static str {
    match diesel {
        "Uuid" => "uuid",
        "Text" => "text",
        "Int2" => "smallint",
        "Int4" => "integer",
        "Int8" => "bigint",
        "Float4" => "real",
        "Float8" => "double precision",
        "Bool" => "boolean",
        "Date" => "date",
        "Timestamptz" => "timestamp with time zone",
        "Jsonb" => "jsonb",
        "Bytea" => "bytea",
        "Array<Text>" => "text[]",
        "Array<Uuid>" => "uuid[]",
        other => panic!("teach `sql_name` the type {other}"),
    }
}

/// What tenants may reach without row-level security: nothing that is somebody's.
const UNWALLED: [&str; 5] = ["core_batches", "core_schedules", "core_workers", "pricing_levels", "storage_passing"];

/// A new table without a policy shows its rows to nobody, or is named above.
#[tokio::test]
async fn every_table_of_tenants_is_behind_the_second_wall() {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        text: String,
    }
    let database = TestDatabase::create().await;
    let mut conn = AsyncPgConnection::establish(&database.url).await.unwrap();
    let reachable = "SELECT relname::text AS text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace \
        AND NOT relrowsecurity AND has_table_privilege('keroxio_tenant', oid, 'SELECT, INSERT, UPDATE, DELETE') \
        AND relname <> '__diesel_schema_migrations' ORDER BY 1";
    let rows: Vec<Row> = diesel::sql_query(reachable).load(&mut conn).await.unwrap();
    assert_eq!(rows.into_iter().map(|row| row.text).collect::<Vec<_>>(), UNWALLED);
    drop(conn);
    database.drop().await;
}
