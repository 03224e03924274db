-- wrk: each request asks for another key.
local path = os.getenv("BENCH_PATH")
local count = 0
request = function()
  count = (count * 7919 + 12345) % 100000
  return wrk.format("GET", path .. count)
end
