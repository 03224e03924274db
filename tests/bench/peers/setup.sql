-- The tables of scripts/bench database: the same for every program that takes part.
DROP TABLE IF EXISTS customers, loyaltyPoints, events, many, copied;
CREATE TABLE customers (id INTEGER PRIMARY KEY, points INTEGER NOT NULL);
INSERT INTO customers SELECT i, i % 1000 FROM generate_series(1, 100000) i;
CREATE TABLE loyaltyPoints (customer_id INTEGER NOT NULL, ORDERDATE DATE NOT NULL, points INTEGER NOT NULL);
INSERT INTO loyaltyPoints
  SELECT i % 10000 + 1, DATE '2026-01-01' + (i / 10000) * 18, i % 50 FROM generate_series(0, 199999) i;
CREATE INDEX ON loyaltyPoints (customer_id, ORDERDATE);
CREATE TABLE events (customer_id INTEGER NOT NULL, note TEXT NOT NULL);
CREATE TABLE many (id INT8, name TEXT, price FLOAT8, at TIMESTAMPTZ, amount INT4);
INSERT INTO many
  SELECT i, 'name of ' || i, i * 0.25, '2026-01-02T03:04:05.25Z', i % 100 FROM generate_series(0, 9999) i;
CREATE UNLOGGED TABLE copied (LIKE many);
ANALYZE many, customers, loyaltyPoints;
