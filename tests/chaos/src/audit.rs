//! What became of everything that was accepted.

use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

#[derive(Debug, diesel::QueryableByName)]
pub struct Audit {
    #[diesel(sql_type = BigInt)]
    pub jobs: i64,
    #[diesel(sql_type = BigInt)]
    pub lost: i64,
    #[diesel(sql_type = BigInt)]
    pub doubled: i64,
    #[diesel(sql_type = BigInt)]
    pub dead: i64,
    #[diesel(sql_type = BigInt)]
    pub meant_to_die: i64,
    #[diesel(sql_type = BigInt)]
    pub out_of_order: i64,
    #[diesel(sql_type = BigInt)]
    pub stale: i64,
    #[diesel(sql_type = BigInt)]
    pub unasked: i64,
}

/// Every accepted job has either its effect or its farewell, once; nothing else has any.
const AUDIT: &str = "
    WITH told AS (
        SELECT number, count(*) AS times FROM
            (SELECT number FROM chaos_effects UNION ALL SELECT number FROM chaos_farewells) both_ends GROUP BY number),
    dead AS (SELECT (args ->> 'number')::bigint AS number FROM core_jobs_ended WHERE outcome = 'dead'),
    lanes AS (
        SELECT number < lag(number) OVER (PARTITION BY lane ORDER BY id) AS backwards
        FROM chaos_effects WHERE lane IS NOT NULL)
    SELECT
        (SELECT count(*) FROM chaos_accepted) AS jobs,
        (SELECT count(*) FROM chaos_accepted a WHERE NOT EXISTS (SELECT FROM told t WHERE t.number = a.number)
            AND NOT EXISTS (SELECT FROM dead d WHERE d.number = a.number)) AS lost,
        (SELECT count(*) FROM told WHERE times > 1) AS doubled,
        (SELECT count(*) FROM core_jobs_ended WHERE outcome = 'dead') AS dead,
        (SELECT count(*) FROM chaos_accepted WHERE number % 97 = 0 AND kind = 'plain') AS meant_to_die,
        (SELECT count(*) FROM lanes WHERE backwards) AS out_of_order,
        (SELECT count(*) FROM chaos_wishes WHERE seen <> wanted) AS stale,
        (SELECT count(*) FROM told t WHERE NOT EXISTS (SELECT FROM chaos_accepted a WHERE a.number = t.number)) AS unasked";

pub async fn audit(conn: &mut AsyncPgConnection) -> anyhow::Result<Audit> {
    Ok(diesel::sql_query(AUDIT).get_result(conn).await?)
}
