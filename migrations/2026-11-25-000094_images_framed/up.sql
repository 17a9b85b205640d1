-- Whether a rendition was cut anew around its car: asked for is not done, because a car that the photo cuts is not.
ALTER TABLE images_cleanings ADD COLUMN framed boolean;
UPDATE images_cleanings
    SET framed = coalesce((drawn_style ->> 'framed')::boolean, false) AND NOT remarks ? 'cut_by_frame'
    WHERE cleaned_object IS NOT NULL;
-- Which files were withdrawn was asked by this; now it is told by name.
DROP INDEX storage_objects_decided;
