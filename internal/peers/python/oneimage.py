"""All that a program in Python does to answer one image: «oneimage.py MODEL.onnx IMAGE.npy ANSWER.csv»."""
import sys

import numpy
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
images = numpy.load(sys.argv[2])[:, None] * numpy.float32(255)
answers = session.run(None, {session.get_inputs()[0].name: images})[0]
numpy.savetxt(sys.argv[3], answers, delimiter=",", fmt="%.3f")
