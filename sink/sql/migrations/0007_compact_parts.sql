-- A part of up to 128 MiB is one file with all columns, not one or two files a column: the table has about a hundred
-- columns, and making that many files costs ClickHouse more than all the rest of an insert. Merges make wide parts.

ALTER TABLE ${database}.activity MODIFY SETTING min_bytes_for_wide_part = 134217728;
