local report = require "kserve.report"

-- The lines with code, as text: "1-3, 5".
local function lines(text)
  local list = {}
  for line in pairs(report.code_lines(text)) do
    list[#list + 1] = line
  end
  table.sort(list)
  return report.ranges(list)
end

describe("lines with code", function()
  it("are those that can run", function()
    local cases = {
      { "", "" },
      { "-- only words\n\n", "" },
      { "return 1", "1" },
      { "\n\nno lua", "1" },
      { "local a = 1\n\n-- no code\nreturn a", "1, 4" },
      -- the end of a function that returns before it is never reached
      { "local function f()\n  return 1\nend\nreturn f", "2-4" },
      { "return {\n  f = function(x)\n    if x then\n      return 1\n    else\n      return 2\n    end\n  end,\n}",
        "1, 3-4, 6, 8-9" },
      { "return f(\n  g()\n)", "1-2" }, -- and the return behind a tail call is none
      -- functions that are never made
      { "local function f()\n  local function g()\n    return function()\n      return 1\n    end\n  end\n"
        .. "  return g\nend", "4-8" },
      { "return function(...)\n  return ...\nend", "2-3" },
      { "local t = {\n  'a',\n  1.5,\n  7000000000,\n  true,\n}\nreturn t", "1-4, 6-7" },
      { "goto out\n::out::\nwhile true do\n  break\nend", "1, 4" },
    }
    for _, case in ipairs(cases) do
      assert.equal(case[2], lines(case[1]), case[1])
    end
  end)

  it("are found however far apart they are", function()
    local text, expected = {}, {}
    local at = 1
    for _, gap in ipairs { 1, 127, 128, 129, 300, 70000, 2 } do
      text[#text + 1] = "x = 1" .. ("\n"):rep(gap)
      expected[#expected + 1] = at
      at = at + gap
    end
    assert.equal(report.ranges(expected), lines(table.concat(text)))
    assert.equal("1-1000", lines(("x = 1\n"):rep(1000)))
  end)

  it("are Lua's own, but for the return that it adds", function()
    for _, name in ipairs { "contract", "parameters", "status" } do
      local file = assert(io.open(name .. ".lua"))
      local text = file:read "a"
      file:close()
      local code = report.code_lines(text)
      for line in pairs(debug.getinfo(assert(load(text)), "L").activelines) do
        assert.is_true(code[line], name .. ":" .. line)
      end
    end
  end)
end)

describe("figures", function()
  it("are never rounded up", function()
    assert.equal("99.99", report.percent(99999, 100000))
    assert.equal("100.00", report.percent(7, 7))
    assert.equal("66.66", report.percent(2, 3))
    assert.equal("0.00", report.percent(0, 3))
    assert.equal("0.09", report.percent(9, 10000))
    assert.equal("100.00", report.percent(0, 0))
  end)

  it("name the lines that have not run", function()
    local text = "local a = 1\nif a == 2 then\n  a = 3\n  a = 4\nend\nreturn a"
    local count, run, missing = report.measure(text, { [1] = true, [2] = true, [6] = true })
    assert.same({ 5, 3, { 3, 4 } }, { count, run, missing })
    assert.equal("3-4", report.ranges(missing))
    assert.equal("1, 3-5, 9", report.ranges { 1, 3, 4, 5, 9 })
    assert.equal("", report.ranges {})
  end)

  it("are compared exactly", function()
    assert.is_true(report.enough(4, 5, 80))
    assert.is_false(report.enough(79, 100, 80))
    assert.is_true(report.enough(10000, 10000, 100))
    assert.is_false(report.enough(9999, 10000, 100))
    assert.is_true(report.enough(0, 0, 100))
    assert.is_true(report.enough(0, 9, 0))
  end)
end)
