DROP TABLE vehicle_vehicles;
