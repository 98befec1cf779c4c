-- For the specs of the default policies: what a policy finds in the sandbox, in plain Lua (see
-- engine/policy/stdlib.h). Globals that a policy does not have are an error here as well.

local dkjson = require "dkjson"

local json = { null = setmetatable({}, { __tostring = function() return "null" end }) }

function json.array(list)
  return list or {}
end

function json.object(map)
  return map or {}
end

function json.parse(text)
  local value, _, message = dkjson.decode(text, 1, json.null)
  if message then
    return nil, message
  end
  return value
end

-- As in the sandbox: a fixed order.
local function sorted_pairs(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  local at = 0
  return function()
    at = at + 1
    return keys[at], map[keys[at]]
  end
end

local ENVIRONMENT = {
  assert = assert, error = error, ipairs = ipairs, pairs = sorted_pairs, pcall = pcall,
  select = select, tonumber = tonumber, tostring = tostring, type = type,
  string = string, table = table, math = math, utf8 = utf8,
  json = json,
  reject = error,
  log = function() end,
}

local helper = { json = json }

-- What scripts/NAME.lua returns.
function helper.policy(name)
  local environment = setmetatable({}, {
    __index = function(_, key)
      local value = ENVIRONMENT[key]
      assert(value ~= nil, "unknown global '" .. key .. "'")
      return value
    end,
    __newindex = function(_, key)
      error("assignment to global '" .. key .. "'", 2)
    end,
  })
  return assert(loadfile("scripts/" .. name .. ".lua", "t", environment))()
end

return helper
