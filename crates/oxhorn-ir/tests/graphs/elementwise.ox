// Functions of one, two and three elements.
graph real_numbers {
    %0 = input "x"                 : f32[2, 3]
    %1 = exp %0                    : f32[2, 3]
    %2 = pow %1 %0                 : f32[2, 3]
    %3 = less %1 %2                : bool[2, 3]
    %4 = select %3 %1 %2           : f32[2, 3]
    %5 = is_finite %4              : bool[2, 3]
    %6 = not %5                    : bool[2, 3]
    %7 = xor %5 %6                 : bool[2, 3]
    return %4, %7
}

graph whole_numbers {
    %0 = input "x"                 : u32[0]
    %1 = shl %0 %0                 : u32[0]
    %2 = and %0 %1                 : u32[0]
    %3 = rem %2 %1                 : u32[0]
    return %3
}

graph between_element_types {
    %0 = input "x"                 : bool[1]
    %1 = cast %0                   : i64[1]
    %2 = cast %1                   : f64[1]
    %3 = cast %2                   : f32[1]
    return %3
}

graph shapes_are_not_broadcast {
    %0 = input "x"                 : f32[2, 3]
    %1 = input "y"                 : f32[3]
    %2 = add %0 %1                 : f32[2, 3] // error: `add` needs equal types, got f32[2, 3] and f32[3]
}

graph element_types_are_not_cast {
    %0 = input "x"                 : f32[2]
    %1 = input "y"                 : i32[2]
    %2 = less %0 %1                : bool[2] // error: `less` needs equal types, got f32[2] and i32[2]
}

graph integers_have_no_exponential {
    %0 = input "x"                 : i32[2]
    %1 = exp %0                    : i32[2] // error: `exp` is not defined for i32[2]
}

graph real_numbers_have_no_bits {
    %0 = input "x"                 : f32[2]
    %1 = shl %0 %0                 : f32[2] // error: `shl` is not defined for f32[2]
}

graph masks_are_truth_values {
    %0 = input "x"                 : f32[2]
    %1 = select %0 %0 %0           : f32[2] // error: `select` needs a bool mask, got f32[2]
}

graph a_function_of_two_elements_has_two_arguments {
    %0 = input "x"                 : f32[2]
    %1 = add %0                    : f32[2] // error: `add` takes 2 arguments, got 1
}
