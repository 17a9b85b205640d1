DROP TABLE vehicle_statements;
