//! When an SIV number was given out, as far as known dates tell.

use crate::SIV_CAPACITY;

/// Numbers whose first day is known from the press and the public sites that follow the series: rank in the
/// order of issue, and days since 1970-01-01. Add newer ones at the end.
const ANCHORS: [(u64, i64); 7] = [
    (0, 14_349),          // AA-001-AA, 2009-04-15
    (12_131_856, 14_868), // BA-001-AA, 2010-09-16
    (60_659_280, 17_772), // FA-001-AA, 2018-08-29
    (72_791_136, 18_793), // GA-001-AA, 2021-06-15
    (78_572_848, 19_358), // GL-500-ZC, 2023-01-01
    (80_547_232, 19_618), // GQ-860-SD, about 2023-09-18
    (84_922_992, 20_027), // HA-001-AA, 2024-10-31
];

/// Numbers a day, rounded up from the fastest stretch between anchors since 2018: what comes after the last
/// anchor is bounded by it.
const FASTEST: f64 = 12_000.0;
/// Days by which the last anchor's date may be wrong, and the order of issue may run ahead.
const SLACK: i64 = 90;

/// The highest rank that can have been given out by a day (days since 1970-01-01), generously.
pub fn newest_rank(day: i64) -> u64 {
    let (rank, known) = ANCHORS[ANCHORS.len() - 1];
    let days = (day - known).max(0) + SLACK;
    (rank + (days as f64 * FASTEST) as u64).min(SIV_CAPACITY - 1)
}

/// The day (days since 1970-01-01) around which a rank was given out, interpolated between the anchors;
/// none beyond the last. It dates the number, not the first circulation of its car: until 2018 most numbers
/// went to older cars.
pub fn day_of_rank(rank: u64) -> Option<i64> {
    let after = ANCHORS.iter().position(|(known, _)| *known > rank)?;
    let ((r0, d0), (r1, d1)) = (ANCHORS[after.checked_sub(1)?], ANCHORS[after]);
    Some(d0 + ((d1 - d0) as f64 * (rank - r0) as f64 / (r1 - r0) as f64).round() as i64)
}
