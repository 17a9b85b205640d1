-- Whether the reader was sure enough when it read; another model may draw the line elsewhere later.
ALTER TABLE plates_readings ADD COLUMN accepted boolean NOT NULL DEFAULT false;
