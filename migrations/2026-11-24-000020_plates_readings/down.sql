DROP TABLE plates_readings;
