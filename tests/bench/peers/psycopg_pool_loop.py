#!/usr/bin/env python3
"""psycopg's async pool on the workloads of scripts/bench database.

  psycopg_pool_loop.py URL w1|w2|w3|w4|w5|w6 SECONDS CALLERS CONNECTIONS

Prints one line of JSON: {"per_second": …, "p50_us": …, "p99_us": …}.
"""
import asyncio
import datetime
import json
import random
import sys
import time

from psycopg_pool import AsyncConnectionPool

FROM, TO = datetime.date(2026, 3, 1), datetime.date(2026, 5, 30)


async def w1(pool):
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT points FROM customers WHERE id = %s", [random.randint(1, 100_000)])
        await cursor.fetchall()


async def w2(pool):
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT COUNT(*) AS loyaltyScore FROM loyaltyPoints WHERE customer_id = %s "
            "AND ORDERDATE BETWEEN %s AND %s GROUP BY customer_id", [random.randint(1, 10_000), FROM, TO])
        await cursor.fetchall()


async def w3(pool):
    async with pool.connection() as connection:
        await connection.execute("INSERT INTO events VALUES (%s, %s)", [random.randint(1, 100_000), "a note of twenty one"])


async def w4(pool):
    async with pool.connection() as connection:
        async with connection.transaction():
            key = [random.randint(1, 100_000)]
            cursor = await connection.execute("SELECT points FROM customers WHERE id = %s FOR UPDATE", key)
            await cursor.fetchall()
            await connection.execute("UPDATE customers SET points = points + 1 WHERE id = %s", key)


async def w5(pool):
    async with pool.connection() as connection:
        cursor = connection.cursor(binary=True)
        await cursor.execute("SELECT id, name, price, at, amount FROM many")
        await cursor.fetchall()


AT = datetime.datetime(2026, 1, 2, 3, 4, 5, 250_000, datetime.timezone.utc)
ROWS = [(i, f"name of {i}", i * 0.25, AT, i % 100) for i in range(10_000)]


async def w6(pool):
    async with pool.connection() as connection:
        cursor = connection.cursor()
        async with cursor.copy("COPY copied (id, name, price, at, amount) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "text", "float8", "timestamptz", "int4"])
            for row in ROWS:
                await copy.write_row(row)


async def call_until(end, operation, pool, latencies):
    while (began := time.perf_counter()) < end:
        await operation(pool)
        latencies.append(time.perf_counter() - began)


async def main():
    url, name, seconds, callers, connections = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:6])
    operation = {"w1": w1, "w2": w2, "w3": w3, "w4": w4, "w5": w5, "w6": w6}[name]
    # Transactions of one's own need autocommit's absence nowhere but in w4; the pool's users have it so.
    pool = AsyncConnectionPool(url, min_size=int(connections), max_size=int(connections), kwargs={"autocommit": True},
                               open=False)
    await pool.open(wait=True)
    await asyncio.gather(*(call_until(time.perf_counter() + 0.3, operation, pool, []) for _ in range(int(callers))))
    latencies, began = [], time.perf_counter()
    await asyncio.gather(*(call_until(began + seconds, operation, pool, latencies) for _ in range(int(callers))))
    took = time.perf_counter() - began
    await pool.close()
    latencies.sort()
    at = lambda share: round(latencies[int(len(latencies) * share)] * 1e6)
    print(json.dumps({"per_second": round(len(latencies) / took), "p50_us": at(0.5), "p99_us": at(0.99)}))


asyncio.run(main())
