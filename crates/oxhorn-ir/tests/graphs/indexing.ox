// Slices chosen by index.
graph embeds {
    %0 = weight "embedding/table"  : f32[100, 8]
    %1 = input "tokens"            : i32[4, 5]
    %2 = gather %0 %1 axis=0       : f32[4, 5, 8]
    %3 = scatter_add %0 %1 %2 axis=0 : f32[100, 8]
    update %0 = %3
    return %2
}

graph along_the_last_axis {
    %0 = input "x"                 : f64[2, 3]
    %1 = input "index"             : i64[]
    %2 = gather %0 %1 axis=1       : f64[2]
    %3 = scatter_add %0 %1 %2 axis=1 : f64[2, 3]
    return %3
}

graph no_indices_choose_from_nothing {
    %0 = input "x"                 : f32[0, 2]
    %1 = input "indices"           : i32[0]
    %2 = gather %0 %1 axis=0       : f32[0, 2]
    return %2
}

graph some_indices_cannot {
    %0 = input "x"                 : f32[0, 2]
    %1 = input "indices"           : i32[1]
    %2 = gather %0 %1 axis=0       : f32[1, 2] // error: `gather` along axis 0 of f32[0, 2] has nothing to choose from
}

graph indices_are_signed_integers {
    %0 = input "x"                 : f32[3]
    %1 = input "indices"           : u32[1]
    %2 = gather %0 %1 axis=0       : f32[1] // error: `gather` needs indices of type i32 or i64, got u32[1]
}

graph scalars_have_no_axis_to_choose_along {
    %0 = input "x"                 : f32[]
    %1 = input "indices"           : i32[1]
    %2 = gather %0 %1 axis=0       : f32[1] // error: `gather` along axis 0 of f32[]
}

graph one_update_for_each_index {
    %0 = input "x"                 : f32[3, 4]
    %1 = input "indices"           : i32[2]
    %2 = scatter_add %0 %1 %0 axis=0 : f32[3, 4] // error: `scatter_add` needs updates of type f32[2, 4], got f32[3, 4]
}
