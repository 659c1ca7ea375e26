//! ONNX, as far as it is written here: one graph of named tensors, in Google's wire format.
//!
//! A message of that format is a list of fields, each a number and a value: an integer of seven
//! bits a byte, or so many bytes, which may be a message again. The numbers are those of
//! `onnx.proto`.

use oxhorn_ir::{Result, ensure};

use crate::{Element, Tensor};

/// The version of ONNX' ops that graphs are written with.
pub const OPSET: u64 = 17;

/// The version of the file format that goes with it.
const IR_VERSION: u64 = 8;

/// What readers of the wire format take at most.
const BYTES_MAX: usize = i32::MAX as usize;

/// A graph: ops in the order in which they are computed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// What it computes, for the reader.
    pub name: String,
    /// What is given at each run.
    pub inputs: Vec<Port>,
    /// What comes out.
    pub outputs: Vec<Port>,
    /// What is part of the file.
    pub constants: Vec<(String, Tensor)>,
    /// What is done.
    pub nodes: Vec<Node>,
}

/// An input or an output.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// The type of its elements.
    pub element: Element,
    /// The extent of each axis.
    pub shape: Vec<Extent>,
}

/// The extent of an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Always this.
    Fixed(usize),
    /// Whatever it is at a run; equal wherever the name is the same.
    Named(String),
}

/// One op on named tensors.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What ONNX calls it: `MatMul`.
    pub op: &'static str,
    /// The names of its arguments.
    pub inputs: Vec<String>,
    /// The name of its result.
    pub output: String,
    /// Its settings.
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// A setting of an op.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A number.
    Int(i64),
    /// A list of numbers.
    Ints(Vec<i64>),
}

/// The file of a graph.
///
/// # Errors
///
/// If it is larger than readers take.
pub fn write(graph: &Graph) -> Result<Vec<u8>> {
    let content: usize = graph.constants.iter().map(|(_, tensor)| tensor.bytes().len()).sum();
    ensure!(
        content < BYTES_MAX,
        "the weights are {content} bytes, and a file of ONNX holds {BYTES_MAX}"
    );
    let mut model = Message::default();
    model.integer(1, IR_VERSION);
    model.text(2, "oxhorn");
    model.message(7, graph_message(graph));
    let mut opset = Message::default();
    opset.integer(2, OPSET);
    model.message(8, opset);
    ensure!(model.0.len() <= BYTES_MAX, "the graph is larger than a file of ONNX can be");
    Ok(model.0)
}

/// The fields of a message, as bytes.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn integer(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: Message) {
        self.bytes(field, &message.0);
    }

    /// Numbers as so many fields, as ONNX' own library writes them.
    fn integers(&mut self, field: u64, values: impl Iterator<Item = u64>) {
        values.for_each(|value| self.integer(field, value));
    }

    /// Seven bits a byte, the lowest first; the eighth says that there are more.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

fn graph_message(graph: &Graph) -> Message {
    let mut message = Message::default();
    graph.nodes.iter().for_each(|node| message.message(1, node_message(node)));
    message.text(2, &graph.name);
    for (name, tensor) in &graph.constants {
        message.message(5, tensor_message(name, tensor));
    }
    graph.inputs.iter().for_each(|port| message.message(11, port_message(port)));
    graph.outputs.iter().for_each(|port| message.message(12, port_message(port)));
    message
}

fn node_message(node: &Node) -> Message {
    let mut message = Message::default();
    node.inputs.iter().for_each(|name| message.text(1, name));
    message.text(2, &node.output);
    message.text(4, node.op);
    for (name, attribute) in &node.attributes {
        let mut setting = Message::default();
        setting.text(1, name);
        match attribute {
            Attribute::Int(value) => {
                setting.integer(3, *value as u64);
                setting.integer(20, 2);
            }
            Attribute::Ints(values) => {
                setting.integers(8, values.iter().map(|value| *value as u64));
                setting.integer(20, 7);
            }
        }
        message.message(5, setting);
    }
    message
}

fn tensor_message(name: &str, tensor: &Tensor) -> Message {
    let mut message = Message::default();
    message.integers(1, tensor.shape().iter().map(|extent| *extent as u64));
    message.integer(2, element_code(tensor.element()));
    message.text(8, name);
    message.bytes(9, tensor.bytes());
    message
}

fn port_message(port: &Port) -> Message {
    let mut shape = Message::default();
    for extent in &port.shape {
        let mut axis = Message::default();
        match extent {
            Extent::Fixed(extent) => axis.integer(1, *extent as u64),
            Extent::Named(name) => axis.text(2, name),
        }
        shape.message(1, axis);
    }
    let mut tensor = Message::default();
    tensor.integer(1, element_code(port.element));
    tensor.message(2, shape);
    let mut ty = Message::default();
    ty.message(1, tensor);
    let mut message = Message::default();
    message.text(1, &port.name);
    message.message(2, ty);
    message
}

/// The number by which ONNX knows a type of elements, also in the setting `to` of `Cast`.
pub fn element_code(element: Element) -> u64 {
    match element {
        Element::F32 => 1,
        Element::U8 => 2,
        Element::I8 => 3,
        Element::U16 => 4,
        Element::I16 => 5,
        Element::I32 => 6,
        Element::I64 => 7,
        Element::Bool => 9,
        Element::F16 => 10,
        Element::F64 => 11,
        Element::U32 => 12,
        Element::U64 => 13,
        Element::Bf16 => 16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the package `onnx` 1.23.2 writes for the same model.
    const RECORDED: &str = "080812066f78686f726e3ab1010a120a01780a01771202253122064d61744d756c0a3e\
        0a02253112017922095265647563654d61782a0f0a086b65657064696d731800a001022a190a04617865734001\
        40ffffffffffffffffff0140ac02a001071205736d616c6c2a130802080110014201774a080000c03f000000c0\
        2a0f100742016e4a08ffffffffffffffff5a180a017812130a110801120d0a07120562617463680a0208026214\
        0a0179120f0a0d080112090a071205626174636842021011";

    #[test]
    fn a_graph_is_written_as_onnx_itself_writes_it() {
        let named = |name: &str| Extent::Named(name.to_owned());
        let port = |name: &str, shape: Vec<Extent>| Port {
            name: name.to_owned(),
            element: Element::F32,
            shape,
        };
        let node = |op, inputs: &[&str], output: &str, attributes| {
            let inputs = inputs.iter().map(|name| (*name).to_owned()).collect();
            Node { op, inputs, output: output.to_owned(), attributes }
        };
        let settings =
            vec![("keepdims", Attribute::Int(0)), ("axes", Attribute::Ints(vec![1, -1, 300]))];
        let graph = Graph {
            name: "small".to_owned(),
            inputs: vec![port("x", vec![named("batch"), Extent::Fixed(2)])],
            outputs: vec![port("y", vec![named("batch")])],
            constants: vec![
                ("w".to_owned(), Tensor::of([2, 1], &[1.5_f32, -2.0])),
                ("n".to_owned(), Tensor::of([], &[-1_i64])),
            ],
            nodes: vec![
                node("MatMul", &["x", "w"], "%1", vec![]),
                node("ReduceMax", &["%1"], "y", settings),
            ],
        };
        let written = write(&graph).expect("a small file");
        let digits: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits, RECORDED.replace(char::is_whitespace, ""));
    }
}
