// What is and is not the text form.
graph   spaces_do_not_matter{ // nor do comments
  // such as this one

%0=input "x // this belongs to the name":f32[ 2,3 ]
        return %0,%0
    }

graph "names may need quotes" {
    %0 = weight "tab\t and \u{e9} and \"quotes\"" : f32[]
    return %0
}

graph empty {
}

graph { // error: expected the name of the graph, found `{`
}

graph numbers_follow_each_other {
    %0 = input "x"                 : f32[2]
    %2 = exp %0                    : f32[2] // error: expected %1, the next value, found %2
}

graph uses_follow_definitions {
    %0 = exp %1                    : f32[2] // error: %1 is used, but not defined above
}

graph results_are_defined {
    return %0 // error: %0 is used, but not defined above
}

graph ops_are_known {
    %0 = input "x"                 : f32[2]
    %1 = entropy %0                : f32[2] // error: there is no op `entropy`
}

graph types_are_the_inferred_ones {
    %0 = input "x"                 : f32[2, 3]
    %1 = sum %0 axes=[0]           : f32[2] // error: `sum` gives f32[3], not f32[2]
}

graph types_are_given {
    %0 = input "x"                 // error: expected `:`, found the end of the line
}

graph types_are_known {
    %0 = input "x"                 : f16[2] // error: expected an element type, found `f16`
}

graph extents_are_natural_numbers {
    %0 = input "x"                 : f32[-2] // error: expected an integer, found `-2`
}

graph extents_fit_into_memory {
    %0 = input "x"                 : f32[4294967296, 4294967296] // error: no memory can hold f32[4294967296, 4294967296]
}

graph lists_end {
    %0 = input "x"                 : f32[2 // error: expected `,` or `]`, found the end of the line
}

graph attributes_are_given {
    %0 = input "x"                 : f32[2]
    %1 = sum %0                    : f32[] // error: the attribute `axes` is missing
}

graph attributes_are_known {
    %0 = input "x"                 : f32[2]
    %1 = sum %0 axes=[0] keepdims=1 : f32[] // error: `sum` takes no attribute `keepdims`
}

graph attributes_are_given_once {
    %0 = input "x"                 : f32[2]
    %1 = sum %0 axes=[0] axes=[0]  : f32[] // error: `sum` takes the attribute `axes` once
}

graph attributes_have_their_own_kind_of_value {
    %0 = input "x"                 : f32[2]
    %1 = argmax %0 axis=0.5        : i32[] // error: `axis` must be a natural number, got 0.5
}

graph attributes_are_numbers {
    %0 = fill value=half           : f32[2] // error: expected a number, found `half`
}

graph arguments_are_values {
    %0 = input "x"                 : f32[2]
    %1 = exp %x                    : f32[2] // error: expected a value, found `%x`
}

graph escapes_are_known {
    %0 = input "\x41"              : f32[2] // error: a backslash in quotes begins none of the escapes of Rust
}

graph signs_are_known {
    %0 = input "x"                 ; f32[2] // error: `;` has no meaning outside quotes
}

graph lines_hold_one_statement {
    %0 = input "x"                 : f32[2] return %0 // error: expected the end of the line, found `return`
}

graph results_come_last {
    %0 = input "x"                 : f32[2]
    return %0
    return %0                      // error: expected `}` after `return`, found `return`
}

graph results_are_listed {
    %0 = input "x"                 : f32[2]
    return %0 %0                   // error: expected `,` or the end of the line, found %0
}

graph statements_are_known {
    input "x"                      : f32[2] // error: expected a value, `update`, `return` or `}`, found `input`
}

graph within { graph another { // error: expected the end of the line, found `graph`
}
