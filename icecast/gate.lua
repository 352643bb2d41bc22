-- Lets so many listeners at once wait for Icecast's answer, and keeps the others waiting here.
-- Icecast refuses the 101st who waits to be let in (403), and of those who connect while its backlog is full it hears a second later.
-- How many wait is read from two tables that HAProxy keeps: a connection stands in `asked` from here to its end, in `answered` from the answer to its end.

core.register_action("gate", { "http-req" }, function(txn, most, patience_ms)
  most, patience_ms = tonumber(most), tonumber(patience_ms)
  local waited_ms = 0
  while txn.c:table_conn_cur("listener", "asked") - txn.c:table_conn_cur("listener", "answered") >= most do
    if waited_ms >= patience_ms then
      txn:set_var("txn.turned_away", true)
      return
    end
    local pause_ms = math.min(10 + waited_ms // 10, 100)
    core.msleep(pause_ms)
    waited_ms = waited_ms + pause_ms
  end
end, 2)
