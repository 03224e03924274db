-- The table behind loyalty.yaml, on SQLite, with some orders of the last 90 days and a few older ones.
-- Runs at every start: what is there stays as it is.
CREATE TABLE IF NOT EXISTS loyaltyPoints (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL,
  points INTEGER NOT NULL,
  ORDERDATE TEXT NOT NULL -- ISO 8601, UTC
);

CREATE INDEX IF NOT EXISTS loyaltyPoints_customer ON loyaltyPoints (customer_id, ORDERDATE);

-- id, customer, points, days ago
WITH orders (id, customer_id, points, days_ago) AS (VALUES
  (1, 1, 46, 20), (2, 1, 55, 84), (3, 1, 11, 10), (4, 1, 110, 69), (5, 1, 17, 47),
  (6, 1, 79, 8), (7, 1, 69, 28), (8, 1, 9, 12), (9, 1, 60, 54), (10, 2, 13, 31),
  (11, 2, 16, 71), (12, 2, 59, 8), (13, 2, 110, 73), (14, 2, 20, 29), (15, 2, 85, 81),
  (16, 3, 79, 8), (17, 3, 78, 75), (18, 3, 55, 7), (19, 3, 33, 6), (20, 4, 76, 18),
  (21, 4, 42, 54), (22, 4, 23, 70), (23, 4, 20, 74), (24, 4, 44, 72), (25, 4, 109, 24),
  (26, 4, 18, 75), (27, 5, 78, 82), (28, 5, 29, 48), (29, 6, 17, 71), (30, 7, 96, 9),
  (31, 7, 77, 8), (32, 7, 84, 27), (33, 7, 68, 69), (34, 7, 59, 41), (35, 7, 64, 75),
  (36, 7, 63, 47), (37, 7, 43, 32), (38, 7, 106, 24), (39, 7, 94, 32), (40, 7, 15, 74),
  (41, 7, 43, 68), (42, 1, 68, 270), (43, 3, 98, 324), (44, 5, 41, 132), (45, 5, 20, 357),
  (46, 5, 58, 179)
)
INSERT INTO loyaltyPoints (id, customer_id, points, ORDERDATE)
SELECT id, customer_id, points, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || days_ago || ' days') FROM orders
WHERE true
ON CONFLICT (id) DO NOTHING;
