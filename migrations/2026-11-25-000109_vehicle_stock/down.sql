DROP INDEX vehicle_statements_of_change;
DROP TABLE vehicle_imports;
DROP TABLE vehicle_moves;
ALTER TABLE vehicle_vehicles DROP COLUMN search, DROP COLUMN import_id, DROP COLUMN asking_price_eur,
    DROP COLUMN left_on, DROP COLUMN entered_on, DROP COLUMN stock_state, DROP COLUMN stock_number;
