ALTER TABLE pricing_estimates DROP CONSTRAINT pricing_estimates_vehicle_id_fkey,
    ADD FOREIGN KEY (vehicle_id) REFERENCES vehicle_vehicles (id);
