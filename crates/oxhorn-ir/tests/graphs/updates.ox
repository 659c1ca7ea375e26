// Weights and the values they take when the graph has run.
graph steps {
    %0 = weight "dense/kernel"     : f32[2]
    %1 = weight "step"             : i64[]
    %2 = input "dy"                : f32[2]
    %3 = sub %0 %2                 : f32[2]
    %4 = fill value=1.0            : i64[]
    %5 = add %1 %4                 : i64[]
    update %0 = %3
    update %1 = %5
    return %3
}

graph weights_may_trade_values {
    %0 = weight "a"                : f32[]
    %1 = weight "b"                : f32[]
    update %0 = %1
    update %1 = %0
}

graph inputs_do_not_change {
    %0 = input "x"                 : f32[2]
    update %0 = %0                 // error: only weights can be updated, but %0 is `input "x"`
}

graph weights_keep_their_type {
    %0 = weight "x"                : f32[2]
    %1 = input "y"                 : f32[3]
    update %0 = %1                 // error: `weight "x"` is f32[2] and cannot become f32[3]
}

graph weights_take_one_value {
    %0 = weight "x"                : f32[2]
    update %0 = %0
    update %0 = %0                 // error: `weight "x"` is updated twice
}

graph nodes_come_first {
    %0 = weight "x"                : f32[2]
    update %0 = %0
    %1 = exp %0                    : f32[2] // error: expected an update or `return`, found %1
}
