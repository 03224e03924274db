\set id random(1, 10000)
SELECT COUNT(*) AS loyaltyScore FROM loyaltyPoints WHERE customer_id = :id AND ORDERDATE BETWEEN '2026-03-01' AND '2026-05-30' GROUP BY customer_id;
