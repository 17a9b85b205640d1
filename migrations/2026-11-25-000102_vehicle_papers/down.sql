ALTER TABLE vehicle_vehicles DROP COLUMN inspected_on, DROP COLUMN inspection_retest, DROP COLUMN crit_air;
