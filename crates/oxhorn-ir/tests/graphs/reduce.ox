// One number for many.
graph some_axes_all_axes_and_none {
    %0 = input "x"                 : f32[2, 3, 4]
    %1 = sum %0 axes=[0, 2]        : f32[3]
    %2 = prod %0 axes=[0, 1, 2]    : f32[]
    %3 = reduce_max %0 axes=[]     : f32[2, 3, 4]
    %4 = argmax %3 axis=1          : i32[2, 4]
    %5 = reduce_min %4 axes=[0]    : i32[4]
    return %1, %2, %5
}

graph nothing_adds_up_to_zero {
    %0 = input "x"                 : f32[0, 2]
    %1 = sum %0 axes=[0]           : f32[2]
    return %1
}

graph nothing_has_no_greatest {
    %0 = input "x"                 : f32[0, 2]
    %1 = argmax %0 axis=0          : i32[2] // error: `argmax` along axis 0 of f32[0, 2] has nothing to choose from
}

graph axes_ascend {
    %0 = input "x"                 : f32[2, 3]
    %1 = sum %0 axes=[1, 0]        : f32[] // error: `sum` over axes [1, 0] of f32[2, 3]
}

graph axes_exist {
    %0 = input "x"                 : f32[2, 3]
    %1 = reduce_max %0 axes=[2]    : f32[2, 3] // error: `reduce_max` over axes [2] of f32[2, 3]
}

graph truth_values_do_not_add_up {
    %0 = input "x"                 : bool[2]
    %1 = sum %0 axes=[0]           : bool[] // error: `sum` is not defined for bool[2]
}
