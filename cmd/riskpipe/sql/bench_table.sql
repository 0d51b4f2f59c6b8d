CREATE TABLE ceiling
(
    time DateTime64(3, 'UTC'),
    text_1 String, text_2 String, text_3 String, text_4 String, text_5 LowCardinality(String), text_6 LowCardinality(String), text_7 LowCardinality(String),
    number_1 Int64, number_2 Int64, number_3 Int64, number_4 Int64, number_5 Int64, number_6 Int64, number_7 Int64
)
ENGINE = MergeTree ORDER BY (text_1, time)
