// Tensors taken apart and put together.
graph apart {
    %0 = input "x"                 : f32[7, 3]
    %1 = slice %0 start=[1, 0] stop=[6, 3] step=[2, 1] : f32[3, 3]
    %2 = slice %1 start=[3, 0] stop=[3, 3] step=[5, 4] : f32[0, 1]
    return %1, %2
}

graph together {
    %0 = input "x"                 : f32[2, 3]
    %1 = input "value"             : f32[]
    %2 = pad %0 %1 low=[0, 1] high=[2, 0] interior=[0, 2] : f32[4, 8]
    %3 = slice %2 start=[0, 0] stop=[4, 1] step=[1, 1] : f32[4, 1]
    %4 = concatenate %2 %3 %3 axis=1 : f32[4, 10]
    %5 = concatenate %4 axis=0     : f32[4, 10]
    return %5
}

graph slices_lie_within {
    %0 = input "x"                 : f32[7]
    %1 = slice %0 start=[1] stop=[8] step=[1] : f32[7] // error: `slice` from [1] to [8] does not lie within f32[7]
}

graph slices_go_forward {
    %0 = input "x"                 : f32[7]
    %1 = slice %0 start=[1] stop=[2] step=[0] : f32[1] // error: `slice` needs steps of 1 or more, got [0]
}

graph slices_count_from_the_front {
    %0 = input "x"                 : f32[7]
    %1 = slice %0 start=[-1] stop=[7] step=[1] : f32[1] // error: `start` must be a list of extents, got [-1]
}

graph padding_has_the_elements_type {
    %0 = input "x"                 : f32[7]
    %1 = input "value"             : i32[]
    %2 = pad %0 %1 low=[1] high=[1] interior=[0] : f32[9] // error: `pad` needs a value of type f32[], got i32[]
}

graph padding_outgrows_every_memory {
    %0 = input "x"                 : u32[2]
    %1 = input "value"             : u32[]
    %2 = pad %0 %1 low=[0] high=[0] interior=[9223372036854775807] : u32[2] // error: no memory can hold u32[9223372036854775809]
}

graph parts_agree_along_other_axes {
    %0 = input "x"                 : f32[2, 3]
    %1 = input "y"                 : f32[2, 4]
    %2 = concatenate %0 %1 axis=0  : f32[4, 3] // error: `concatenate` along axis 0 cannot join f32[2, 3] and f32[2, 4]
}

graph no_parts_make_no_whole {
    %0 = concatenate axis=0        : f32[0] // error: `concatenate` takes one argument or more, got none
}
