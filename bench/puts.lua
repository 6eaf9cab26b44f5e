-- Puts of 128 bytes under 20,000 keys, as the performance harness makes them; every value is a new one.
local tag, size = os.getenv("PUTS_TAG"), tonumber(os.getenv("PUTS_SIZE"))
local n = 0
function request()
  n = n + 1
  local head = tag .. ":" .. n .. ":"
  return wrk.format("PUT", "/v1/kv/bench/1/" .. (n % 20000), nil, head .. string.rep("x", size - #head))
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('JSON {"n":%d,"secs":%.6f,"p50":%.0f,"p99":%.0f,"max":%.0f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), latency.max,
    e.connect + e.read + e.write + e.status + e.timeout))
end
