SELECT a
<<<<<<< HEAD
FROM orders
=======
FROM sales
>>>>>>> main
