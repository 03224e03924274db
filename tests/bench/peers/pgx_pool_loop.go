// pgx's pool on the workloads of scripts/bench database.
//
//	pgx_pool_loop URL w1|w2|w3|w4|w5|w6|w7 SECONDS CALLERS CONNECTIONS
//
// Prints one line of JSON: {"per_second": …, "p50_us": …, "p99_us": …}.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

var (
	from = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	to   = time.Date(2026, 5, 30, 0, 0, 0, 0, time.UTC)
)

func ask(ctx context.Context, pool *pgxpool.Pool, sql string, arguments ...interface{}) error {
	rows, err := pool.Query(ctx, sql, arguments...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		if err := rows.Scan(&number); err != nil {
			return err
		}
	}
	return rows.Err()
}

var workloads = map[string]func(context.Context, *pgxpool.Pool, *rand.Rand) error{
	"w1": func(ctx context.Context, pool *pgxpool.Pool, random *rand.Rand) error {
		return ask(ctx, pool, "SELECT points FROM customers WHERE id = $1", random.Intn(100000)+1)
	},
	"w2": func(ctx context.Context, pool *pgxpool.Pool, random *rand.Rand) error {
		return ask(ctx, pool, "SELECT COUNT(*) AS loyaltyScore FROM loyaltyPoints WHERE customer_id = $1 "+
			"AND ORDERDATE BETWEEN $2 AND $3 GROUP BY customer_id", random.Intn(10000)+1, from, to)
	},
	"w3": func(ctx context.Context, pool *pgxpool.Pool, random *rand.Rand) error {
		_, err := pool.Exec(ctx, "INSERT INTO events VALUES ($1, $2)", random.Intn(100000)+1, "a note of twenty one")
		return err
	},
	"w4": func(ctx context.Context, pool *pgxpool.Pool, random *rand.Rand) error {
		return pool.BeginFunc(ctx, func(tx pgx.Tx) error {
			key, points := random.Intn(100000)+1, 0
			if err := tx.QueryRow(ctx, "SELECT points FROM customers WHERE id = $1 FOR UPDATE", key).Scan(&points); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "UPDATE customers SET points = points + 1 WHERE id = $1", key)
			return err
		})
	},
	"w5": func(ctx context.Context, pool *pgxpool.Pool, random *rand.Rand) error {
		rows, err := pool.Query(ctx, "SELECT id, name, price, at, amount FROM many")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var row manyRow
			if err := rows.Scan(&row.id, &row.name, &row.price, &row.at, &row.amount); err != nil {
				return err
			}
		}
		return rows.Err()
	},
	"w6": func(ctx context.Context, pool *pgxpool.Pool, random *rand.Rand) error {
		_, err := pool.CopyFrom(ctx, pgx.Identifier{"copied"}, []string{"id", "name", "price", "at", "amount"},
			pgx.CopyFromRows(copied))
		return err
	},
}

type manyRow struct {
	id     int64
	name   string
	price  float64
	at     time.Time
	amount int32
}

var copied = makeRows()

func makeRows() [][]interface{} {
	rows := make([][]interface{}, 10000)
	at := time.Date(2026, 1, 2, 3, 4, 5, 250000000, time.UTC)
	for i := range rows {
		rows[i] = []interface{}{int64(i), fmt.Sprintf("name of %d", i), float64(i) * 0.25, at, int32(i % 100)}
	}
	return rows
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(69)
	}
}

func run(pool *pgxpool.Pool, name string, span time.Duration, callers int) []time.Duration {
	work := workloads[name]
	seen := make([][]time.Duration, callers)
	end := time.Now().Add(span)
	var group sync.WaitGroup
	for i := range seen {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			random := rand.New(rand.NewSource(int64(i)))
			for began := time.Now(); began.Before(end); began = time.Now() {
				check(work(context.Background(), pool, random))
				seen[i] = append(seen[i], time.Since(began))
			}
		}(i)
	}
	group.Wait()
	var all []time.Duration
	for _, latencies := range seen {
		all = append(all, latencies...)
	}
	sort.Slice(all, func(a, b int) bool { return all[a] < all[b] })
	return all
}

// Requests come 2,000 a second, whether or not the ones before were answered.
func openLoop(pool *pgxpool.Pool, span time.Duration) []time.Duration {
	const pause = 500 * time.Microsecond
	seen := make([]time.Duration, int(span/pause))
	start := time.Now()
	var group sync.WaitGroup
	for i := range seen {
		time.Sleep(time.Until(start.Add(time.Duration(i) * pause)))
		group.Add(1)
		go func(i, key int, began time.Time) {
			defer group.Done()
			check(ask(context.Background(), pool, "SELECT points FROM customers WHERE id = $1", key))
			seen[i] = time.Since(began)
		}(i, rand.Intn(100000)+1, time.Now())
	}
	group.Wait()
	sort.Slice(seen, func(a, b int) bool { return seen[a] < seen[b] })
	return seen
}

func main() {
	seconds, err := strconv.ParseFloat(os.Args[3], 64)
	check(err)
	callers, err := strconv.Atoi(os.Args[4])
	check(err)
	connections, err := strconv.Atoi(os.Args[5])
	check(err)
	config, err := pgxpool.ParseConfig(os.Args[1])
	check(err)
	config.MaxConns = int32(connections)
	config.MinConns = int32(connections)
	pool, err := pgxpool.ConnectConfig(context.Background(), config)
	check(err)
	defer pool.Close()
	work := func(span time.Duration) []time.Duration {
		if os.Args[2] == "w7" {
			return openLoop(pool, span)
		}
		return run(pool, os.Args[2], span, callers)
	}
	work(300 * time.Millisecond)
	began := time.Now()
	all := work(time.Duration(seconds * 1e9))
	took := time.Since(began).Seconds()
	at := func(share float64) int64 { return all[int(float64(len(all))*share)].Microseconds() }
	check(json.NewEncoder(os.Stdout).Encode(map[string]int64{
		"per_second": int64(float64(len(all)) / took), "p50_us": at(0.5), "p99_us": at(0.99)}))
}
