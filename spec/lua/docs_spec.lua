-- The lines `expression --> value` of docs/policies.md, run in the sandbox.

local policy = require "kserve.policy"

local function page()
  local file = assert(io.open("../docs/policies.md"))
  local text = file:read "a"
  file:close()
  return text
end

-- A list of { expression, value } of the blocks of Lua that do not start with the name of a file.
local function examples(text)
  local list = {}
  for block in text:gmatch "\n```lua\n(.-)\n```" do
    local pending = ""
    for line in (block:match "^%-%- [%w_/]+%.lua\n" and "" or block .. "\n"):gmatch "(.-)\n" do
      local left, right = line:match "^(.-)%s*%-%->%s*(.*)$"
      pending = pending .. (left or line .. " ")
      if left then
        list[#list + 1] = { pending, right }
        pending = ""
      end
    end
    assert(pending == "", "no --> behind " .. pending)
  end
  return list
end

local function evaluate(expression)
  local text = "return { contract = function() local v = " .. expression
    .. " if v == nil then v = 'nil' end return { v = v } end }"
  return policy.load { ["contract.lua"] = text }:contract({}, {}, {}).v
end

describe("docs/policies.md", function()
  local list = examples(page())

  it("has examples", function()
    assert.is_true(#list > 30)
  end)

  for _, example in ipairs(list) do
    local expression, value = example[1], example[2]
    it(expression, function()
      local message = value:match "^error: (.*)$"
      if message then
        assert.has_error(function() evaluate(expression) end, message)
      else
        local found, expected = evaluate(expression), evaluate(value)
        assert.same(expected, found)
        assert.equal(math.type(expected), math.type(found))
      end
    end)
  end
end)
