DELETE FROM vehicle_statements WHERE source IN ('CERTIFICATE', 'HISTOVEC') OR field IN ('vin', 'co2');
DROP TABLE vehicle_histovec;
DROP TABLE vehicle_certificates;
ALTER TABLE vehicle_vehicles DROP COLUMN vin, DROP COLUMN co2;
ALTER TABLE vehicle_statements DROP CONSTRAINT vehicle_statements_source_check,
    ADD CONSTRAINT vehicle_statements_source_check CHECK (source IN ('SELLER', 'PLATE', 'REGISTRY'));
