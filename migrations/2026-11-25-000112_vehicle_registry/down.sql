DROP TABLE vehicle_registry_questions;
DROP TABLE vehicle_registry_access;
