// The same elements elsewhere.
graph rearranged {
    %0 = input "x"                 : f32[2, 3, 4]
    %1 = transpose %0 order=[2, 0, 1] : f32[4, 2, 3]
    %2 = reshape %1                : f32[8, 3]
    %3 = reshape %2                : f32[1, 24, 1]
    %4 = broadcast %3              : f32[5, 2, 24, 3]
    return %4
}

graph scalars {
    %0 = input "x"                 : f32[]
    %1 = transpose %0 order=[]     : f32[]
    %2 = reshape %1                : f32[1, 1]
    %3 = broadcast %0              : f32[0, 7]
    return %2, %3
}

graph elements_are_neither_made_nor_lost {
    %0 = input "x"                 : f32[2, 3]
    %1 = reshape %0                : f32[2, 2] // error: `reshape` turns 6 elements of f32[2, 3] into 4
}

graph every_axis_once {
    %0 = input "x"                 : f32[2, 3]
    %1 = transpose %0 order=[1, 1] : f32[3, 3] // error: `transpose` needs every axis of f32[2, 3] once, got [1, 1]
}

graph only_single_elements_stretch {
    %0 = input "x"                 : f32[2, 3]
    %1 = broadcast %0              : f32[4, 3] // error: `broadcast` cannot stretch f32[2, 3] to [4, 3]
}

graph nothing_stretches_to_fewer_axes {
    %0 = input "x"                 : f32[1, 3]
    %1 = broadcast %0              : f32[3] // error: `broadcast` cannot stretch f32[1, 3] to [3]
}

graph stretching_changes_no_element {
    %0 = input "x"                 : f32[1]
    %1 = broadcast %0              : f64[3] // error: `broadcast` gives f32[3], not f64[3]
}
