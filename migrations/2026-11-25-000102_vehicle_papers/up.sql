ALTER TABLE vehicle_vehicles
    -- Day of the last technical inspection, and whether it ordered another test.
    ADD COLUMN inspected_on date,
    ADD COLUMN inspection_retest boolean,
    -- Class of the Crit'Air sticker: e, 1 to 5, or none.
    ADD COLUMN crit_air text CHECK (crit_air IN ('e', '1', '2', '3', '4', '5', 'none'));
