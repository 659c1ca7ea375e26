// Values made within the graph.
graph numbers {
    %0 = fill value=0.5            : f32[2, 3]
    %1 = fill value=-1e-300        : f64[]
    %2 = fill value=inf            : f32[0]
    %3 = fill value=NaN            : f32[1]
    %4 = fill value=7.0            : u32[2]
    %5 = iota axis=1               : i32[2, 3]
    %6 = random_bits %4            : u32[5, 0, 2]
    return %0, %1, %2, %3, %5, %6
}

graph whole_numbers_are_numbers {
    %0 = fill value=-7             : f32[2]
    return %0
}

graph keys_have_two_words {
    %0 = fill value=7.0            : u32[3]
    %1 = random_bits %0            : u32[5] // error: `random_bits` needs a key of type u32[2], got u32[3]
}

graph bits_are_words {
    %0 = fill value=7.0            : u32[2]
    %1 = random_bits %0            : f32[5] // error: `random_bits` gives u32[5], not f32[5]
}

graph counting_needs_an_axis {
    %0 = iota axis=0               : i32[] // error: `iota` along axis 0 of i32[]
}

graph truth_values_do_not_count {
    %0 = iota axis=0               : bool[2] // error: `iota` counts, which bool[2] cannot
}
