-- Requests that wrk sends. Arguments: MODE TOKEN PATH [TEMPLATE TAG | LAST_ID]
--   post: POST the template to PATH, with each @@ replaced by a string unique to the request;
--   get:  GET PATH/{id} for random ids from 1 to LAST_ID.
-- `done` prints one line for the runner to parse.

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

local parts, head, tag, count, path, get, last

function init(args)
  local mode, token = args[1], args[2]
  path = args[3]
  local authorization = "Authorization: Bearer " .. token .. "\r\n"
  count = 0
  if mode == "get" then
    last = tonumber(args[4])
    math.randomseed(number)
    get = " HTTP/1.1\r\nHost: bench\r\n" .. authorization .. "\r\n"
    request = next_get
    return
  end
  local file = assert(io.open(args[4]))
  local template = file:read("*a")
  file:close()
  tag = args[5] .. string.char(96 + number)
  parts = {}
  for part in (template .. "@@"):gmatch("(.-)@@") do parts[#parts + 1] = part end
  -- The unique string has 8 hexadecimal digits and the tag.
  local length = #template + (#parts - 1) * (8 + #tag - 2)
  head = "POST " .. path .. " HTTP/1.1\r\nHost: bench\r\n" .. authorization
    .. "Content-Type: application/json\r\nContent-Length: " .. length .. "\r\n\r\n"
  parts[1] = head .. parts[1]
  request = next_post
end

-- Scattered numbers: e-mail addresses of real users do not arrive in sorted order.
function next_post()
  count = count + 1
  local scattered = (count * 2654435761) % 4294967296
  return table.concat(parts, string.format("%08x", scattered) .. tag)
end

function next_get()
  return "GET " .. path .. "/" .. math.random(1, last) .. get
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
